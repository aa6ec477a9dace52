"""The messages of the CRI that are sent or read here.

Names and numbers are those of the interface's v1, which is k8s.io/cri-api, pkg/apis/runtime/v1/
api.proto (Kubernetes 1.20 and later; a field keeps its number for good). What is not listed is
left out when sent, and passed over when read. Enums are their numbers.
"""

PACKAGE = "runtime.v1"
# As ``messages`` reads them.
MESSAGES = """
StatusRequest
StatusResponse status:RuntimeStatus=1
RuntimeStatus conditions:*RuntimeCondition=1
RuntimeCondition type:string=1 status:bool=2 reason:string=3 message:string=4
NamespaceOption network:int32=1 pid:int32=2 ipc:int32=3
SecurityProfile profile_type:int32=1
LinuxSandboxSecurityContext namespace_options:NamespaceOption=1 seccomp:SecurityProfile=9
LinuxPodSandboxConfig cgroup_parent:string=1 security_context:LinuxSandboxSecurityContext=2
PodSandboxMetadata name:string=1 uid:string=2 namespace:string=3 attempt:uint32=4
PodSandboxConfig metadata:PodSandboxMetadata=1 hostname:string=2 log_directory:string=3 linux:LinuxPodSandboxConfig=8
RunPodSandboxRequest config:PodSandboxConfig=1
RunPodSandboxResponse pod_sandbox_id:string=1
StopPodSandboxRequest pod_sandbox_id:string=1
StopPodSandboxResponse
RemovePodSandboxRequest pod_sandbox_id:string=1
RemovePodSandboxResponse
PodSandboxStatusRequest pod_sandbox_id:string=1
PodSandboxStatusResponse status:PodSandboxStatus=1
PodSandboxStatus id:string=1 metadata:PodSandboxMetadata=2 state:int32=3 created_at:int64=4 network:PodSandboxNetworkStatus=5
PodSandboxNetworkStatus ip:string=1
ListPodSandboxRequest
ListPodSandboxResponse items:*PodSandbox=1
PodSandbox id:string=1 metadata:PodSandboxMetadata=2 state:int32=3 created_at:int64=4
ImageSpec image:string=1
Mount container_path:string=1 host_path:string=2 readonly:bool=3
LinuxContainerSecurityContext namespace_options:NamespaceOption=3 seccomp:SecurityProfile=15 no_new_privs:bool=11
LinuxContainerConfig security_context:LinuxContainerSecurityContext=2
ContainerMetadata name:string=1 attempt:uint32=2
ContainerConfig metadata:ContainerMetadata=1 image:ImageSpec=2 command:*string=3 args:*string=4 mounts:*Mount=7 log_path:string=11 linux:LinuxContainerConfig=15
CreateContainerRequest pod_sandbox_id:string=1 config:ContainerConfig=2 sandbox_config:PodSandboxConfig=3
CreateContainerResponse container_id:string=1
StartContainerRequest container_id:string=1
StartContainerResponse
StopContainerRequest container_id:string=1 timeout:int64=2
StopContainerResponse
RemoveContainerRequest container_id:string=1
RemoveContainerResponse
ListContainersRequest
ListContainersResponse containers:*Container=1
Container id:string=1 pod_sandbox_id:string=2 metadata:ContainerMetadata=3 state:int32=6 created_at:int64=7
ContainerStatusRequest container_id:string=1
ContainerStatusResponse status:ContainerStatus=1
ContainerStatus id:string=1 metadata:ContainerMetadata=2 state:int32=3 created_at:int64=4 started_at:int64=5 finished_at:int64=6 exit_code:int32=7
ListContainerStatsRequest
ListContainerStatsResponse stats:*ContainerStats=1
ContainerStats attributes:ContainerAttributes=1 cpu:CpuUsage=2 memory:MemoryUsage=3
ContainerAttributes id:string=1
UInt64Value value:uint64=1
CpuUsage timestamp:int64=1 usage_core_nano_seconds:UInt64Value=2
MemoryUsage timestamp:int64=1 working_set_bytes:UInt64Value=2
ListImagesRequest
ListImagesResponse images:*Image=1
Image id:string=1 repo_tags:*string=2
RemoveImageRequest image:ImageSpec=1
RemoveImageResponse
"""  # noqa: E501  a message a line
