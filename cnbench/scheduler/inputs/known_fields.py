"""The fields that Kubernetes' objects have, so that one with another name is not passed over.

Source: k8s.io/api core/v1 of 1.36. Only what is read here is listed: what lies below a field that
no rule of the scheduler looks at is not looked at either.
"""

from __future__ import annotations


def _fields(text: str) -> frozenset[str]:
    return frozenset(text.split())


OBJECT = _fields("apiVersion kind metadata spec status")
METADATA = _fields(
    """annotations clusterName creationTimestamp deletionGracePeriodSeconds deletionTimestamp
    finalizers generateName generation labels managedFields name namespace ownerReferences
    resourceVersion selfLink uid"""
)
# What of a pod's spec decides, or can decide, where it goes.
_DECIDING = _fields(
    """affinity containers hostNetwork initContainers nodeName nodeSelector overhead
    resourceClaims resources runtimeClassName schedulerName schedulingGates schedulingGroup
    tolerations topologySpreadConstraints volumes workloadRef"""
)
# What changes nothing about the node: the kubelet's, the priority in the queue, and preemption.
_OTHERS = _fields(
    """activeDeadlineSeconds automountServiceAccountToken dnsConfig dnsPolicy enableServiceLinks
    ephemeralContainers hostAliases hostIPC hostPID hostUsers hostname hostnameOverride
    imagePullSecrets os preemptionPolicy priority priorityClassName readinessGates restartPolicy
    securityContext serviceAccount serviceAccountName setHostnameAsFQDN shareProcessNamespace
    subdomain terminationGracePeriodSeconds"""
)
POD_SPEC = _DECIDING | _OTHERS
CONTAINER = _fields(
    """args command env envFrom image imagePullPolicy lifecycle livenessProbe name ports
    readinessProbe resizePolicy resources restartPolicy restartPolicyRules securityContext
    startupProbe stdin stdinOnce terminationMessagePath terminationMessagePolicy tty
    volumeDevices volumeMounts workingDir"""
)
PORT = _fields("containerPort hostIP hostPort name protocol")
RESOURCES = _fields("claims limits requests")
AFFINITY = _fields("nodeAffinity podAffinity podAntiAffinity")
AFFINITY_KINDS = _fields(
    """requiredDuringSchedulingIgnoredDuringExecution
    preferredDuringSchedulingIgnoredDuringExecution"""
)
NODE_SELECTOR = _fields("nodeSelectorTerms")
NODE_TERM = _fields("matchExpressions matchFields")
PREFERRED_NODE_TERM = _fields("preference weight")
REQUIREMENT = _fields("key operator values")
POD_TERM = _fields(
    """labelSelector matchLabelKeys mismatchLabelKeys namespaceSelector namespaces topologyKey"""
)
WEIGHTED_POD_TERM = _fields("podAffinityTerm weight")
SELECTOR = _fields("matchExpressions matchLabels")
TOLERATION = _fields("effect key operator tolerationSeconds value")
CONSTRAINT = _fields(
    """labelSelector matchLabelKeys maxSkew minDomains nodeAffinityPolicy nodeTaintsPolicy
    topologyKey whenUnsatisfiable"""
)
GATE = _fields("name")
TAINT = _fields("effect key timeAdded value")
NODE_SPEC = _fields("configSource externalID podCIDR podCIDRs providerID taints unschedulable")
NODE_STATUS = _fields(
    """addresses allocatable capacity conditions config daemonEndpoints declaredFeatures features
    images nodeInfo phase runtimeHandlers volumesAttached volumesInUse"""
)
