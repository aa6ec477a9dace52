"""A second implementation to compare with: one node, one pod at a time, in plain Python.

It keeps nothing: every question loops over all nodes and all placed pods, and is written from
Kubernetes' Go sources rather than from cnbench's modules. Floats appear only where the Go code
has float64.
"""

import math
from dataclasses import replace
from typing import ClassVar

from cnbench.scheduler import TopologySpreadConstraint

HOSTNAME = "kubernetes.io/hostname"
ZONE_KEYS = ("failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone")
REGION_KEYS = ("failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region")
MIB = 1024 * 1024


def is_label_value(text):
    inner = all(c.isascii() and (c.isalnum() or c in "-_.") for c in text)
    return not text or (inner and text[0].isalnum() and text[-1].isalnum() and len(text) <= 63)


def requirement_holds(requirement, labels):
    key, operator, values = requirement.key, requirement.operator, requirement.values
    if operator == "In":
        return key in labels and labels[key] in values
    if operator == "NotIn":
        return key not in labels or labels[key] not in values
    if operator == "Exists":
        return key in labels
    if operator == "DoesNotExist":
        return key not in labels
    if key not in labels:
        return False
    try:
        number = int(labels[key])
    except ValueError:
        return False
    return number > int(values[0]) if operator == "Gt" else number < int(values[0])


def selector_holds(selector, labels):
    if selector is None:
        return False
    for key, value in selector.match_labels:
        if labels.get(key) != value:
            return False
    return all(requirement_holds(r, labels) for r in selector.match_expressions)


def term_means(term, owner, pod, namespace_labels):
    """Whether an affinity term of `owner` means `pod`."""
    if term.namespaces or term.namespace_selector is not None:
        inside = pod.namespace in term.namespaces or (
            term.namespace_selector is not None
            and selector_holds(term.namespace_selector, namespace_labels.get(pod.namespace, {}))
        )
    else:
        inside = pod.namespace == owner.namespace
    return inside and selector_holds(term.label_selector, dict(pod.labels))


class PlainScheduler:
    def __init__(
        self, nodes, minor=30, hard_weight=1, namespaces=None, resources=("cpu", "memory")
    ):
        self.nodes = nodes
        self.minor = minor
        self.hard_weight = hard_weight
        self.namespaces = namespaces or {}
        self.resources = resources
        self.placed = []  # (pod, node index)

    def add(self, pod, index):
        self.placed.append((pod, index))

    def remove(self, pod):
        self.placed = [(p, i) for p, i in self.placed if p.key != pod.key]

    def on(self, index):
        return [pod for pod, i in self.placed if i == index]

    # Filters ---------------------------------------------------------------------------------

    def node_resources_fit(self, pod, index):
        node, here = self.nodes[index], self.on(index)
        if len(here) + 1 > node.capacity["pods"]:
            return False
        asked = {name: wanted for name, wanted in pod.requests.items() if name != "pods"}
        native = ("cpu", "memory", "ephemeral-storage")
        if self.minor < 28 and (any(asked.values()) or any(n not in native for n in asked)):
            asked = {**dict.fromkeys(native, 0), **asked}
        for resource, wanted in asked.items():
            if wanted == 0 and self.minor >= 28:
                continue
            used = sum(p.requests.get(resource, 0) for p in here)
            if wanted > node.capacity.get(resource, 0) - used:
                return False
        return True

    def node_term_holds(self, term, node):
        if not term.match_expressions and not term.match_fields:
            return False
        if not all(is_label_value(v) for r in term.match_expressions for v in r.values):
            return False
        fields = {"metadata.name": node.name}
        return all(requirement_holds(r, node.labels) for r in term.match_expressions) and all(
            requirement_holds(r, fields) for r in term.match_fields
        )

    def node_affinity(self, pod, index):
        node = self.nodes[index]
        for key, value in pod.node_selector.items():
            if node.labels.get(key) != value:
                return False
        required = pod.node_affinity.required if pod.node_affinity else None
        if required is None:
            return True
        return any(self.node_term_holds(term, node) for term in required)

    def tolerates(self, toleration, taint):
        if toleration.effect and toleration.effect != taint.effect:
            return False
        if toleration.key and toleration.key != taint.key:
            return False
        return toleration.operator == "Exists" or toleration.value == taint.value

    def taint_toleration(self, pod, index):
        for taint in self.nodes[index].taints:
            if taint.effect in ("NoSchedule", "NoExecute") and not any(
                self.tolerates(t, taint) for t in pod.tolerations
            ):
                return False
        return True

    def inter_pod_affinity(self, pod, index):
        labels = self.nodes[index].labels
        near = list(pod.pod_affinity.required) if pod.pod_affinity else []
        away = list(pod.pod_anti_affinity.required) if pod.pod_anti_affinity else []
        near_counts, away_counts, existing = {}, {}, {}
        for other, where in self.placed:
            there = self.nodes[where].labels
            if near and all(term_means(t, pod, other, self.namespaces) for t in near):
                for t in near:
                    if t.topology_key in there:
                        pair = (t.topology_key, there[t.topology_key])
                        near_counts[pair] = near_counts.get(pair, 0) + 1
            for t in away:
                if term_means(t, pod, other, self.namespaces) and t.topology_key in there:
                    pair = (t.topology_key, there[t.topology_key])
                    away_counts[pair] = away_counts.get(pair, 0) + 1
            for t in other.pod_anti_affinity.required if other.pod_anti_affinity else []:
                if term_means(t, other, pod, self.namespaces) and t.topology_key in there:
                    pair = (t.topology_key, there[t.topology_key])
                    existing[pair] = existing.get(pair, 0) + 1
        exist = True
        for t in near:
            if t.topology_key not in labels:
                return False
            if near_counts.get((t.topology_key, labels[t.topology_key]), 0) <= 0:
                exist = False
        if not exist and not (
            not near_counts and all(term_means(t, pod, pod, self.namespaces) for t in near)
        ):
            return False
        for t in away:
            if t.topology_key in labels and away_counts.get(
                (t.topology_key, labels[t.topology_key]), 0
            ):
                return False
        return not any(existing.get(pair, 0) for pair in labels.items())

    def constraints(self, pod, verdict):
        given = pod.topology_spread_constraints
        selector = pod.spec.spread_selector
        if not given and selector is not None and not selector.empty:
            given = [
                replace(one, label_selector=selector)
                for one in (
                    TopologySpreadConstraint(3, HOSTNAME, "ScheduleAnyway"),
                    TopologySpreadConstraint(5, ZONE_KEYS[1], "ScheduleAnyway"),
                )
            ]
        return [c for c in given if c.when_unsatisfiable == verdict]

    def spread_means(self, constraint, owner, pod):
        labels = dict(pod.labels)
        for key in constraint.match_label_keys if self.minor >= 27 else ():
            if key in owner.labels and labels.get(key) != owner.labels[key]:
                return False
        return selector_holds(constraint.label_selector, labels)

    def counts_on(self, constraint, pod, index):
        return sum(
            1
            for other in self.on(index)
            if not other.terminating
            and other.namespace == pod.namespace
            and self.spread_means(constraint, pod, other)
        )

    def eligible(self, constraint, pod, index):
        if self.minor < 26:
            return self.node_affinity(pod, index)
        if constraint.node_affinity_policy == "Honor" and not self.node_affinity(pod, index):
            return False
        return constraint.node_taints_policy != "Honor" or self.taint_toleration(pod, index)

    def pod_topology_spread(self, pod, index):
        wanted = self.constraints(pod, "DoNotSchedule")
        labels = self.nodes[index].labels
        for constraint in wanted:
            if constraint.topology_key not in labels:
                return False
            domains = {}
            for other, node in enumerate(self.nodes):
                if all(c.topology_key in node.labels for c in wanted) and self.eligible(
                    constraint, pod, other
                ):
                    value = node.labels[constraint.topology_key]
                    domains[value] = domains.get(value, 0) + self.counts_on(constraint, pod, other)
            if self.minor < 24:
                for value in domains:
                    domains[value] = sum(
                        self.counts_on(constraint, pod, other)
                        for other, node in enumerate(self.nodes)
                        if node.labels.get(constraint.topology_key) == value
                    )
            fewest = min(domains.values(), default=2**31 - 1)
            if len(domains) < ((constraint.min_domains if self.minor >= 27 else None) or 1):
                fewest = 0
            self_match = 1 if self.spread_means(constraint, pod, pod) else 0
            count = domains.get(labels[constraint.topology_key], 0)
            if count + self_match - fewest > constraint.max_skew:
                return False
        return True

    FILTERS: ClassVar = {
        "NodeResourcesFit": node_resources_fit,
        "NodeAffinity": node_affinity,
        "TaintToleration": taint_toleration,
        "InterPodAffinity": inter_pod_affinity,
        "PodTopologySpread": pod_topology_spread,
    }

    def filter(self, pod):
        """{filter: [bool per node]}."""
        return {
            name: [check(self, pod, index) for index in range(len(self.nodes))]
            for name, check in self.FILTERS.items()
        }

    # Scores: each gives (raw, normalised) for the nodes with the numbers given -----------------

    def scored_requests(self, pod):
        given = pod.requests if pod.scored_requests is None else pod.scored_requests
        return {"cpu": 100, "memory": 200 * MIB, **given}

    def allocation(self, pod, index, resource, scored):
        node = self.nodes[index]
        capacity = node.capacity.get(resource, 0)
        if resource not in ("cpu", "memory"):
            native = resource == "ephemeral-storage"
            if not native and not pod.requests.get(resource, 0) and self.minor >= 22:
                return 0, 0
            scored = False
        asked = self.scored_requests if scored else (lambda p: p.requests)
        used = sum(asked(p).get(resource, 0) for p in self.on(index))
        return used + asked(pod).get(resource, 0), capacity

    def least_allocated(self, pod, indices, most=False):
        scores = []
        for index in indices:
            total = weights = 0
            for resource in self.resources:
                requested, capacity = self.allocation(pod, index, resource, scored=True)
                if capacity == 0 and self.minor >= 22:
                    continue
                weights += 1
                if capacity == 0:
                    continue
                if most and requested > capacity and self.minor < 22:
                    continue
                if most:
                    total += min(requested, capacity) * 100 // capacity
                elif requested <= capacity:
                    total += (capacity - requested) * 100 // capacity
            scores.append(total // weights if weights else 0)
        return scores, scores

    def most_allocated(self, pod, indices):
        return self.least_allocated(pod, indices, most=True)

    def balanced_allocation(self, pod, indices):
        if self.minor >= 33 and not any(pod.requests.get(name, 0) for name in self.resources):
            return [0] * len(indices), [0] * len(indices)
        score = self.difference if self.minor < 22 else self.evenness
        scores = [score(pod, index) for index in indices]
        return scores, scores

    def difference(self, pod, index):
        fractions = []
        for resource in ("cpu", "memory"):
            requested, capacity = self.allocation(pod, index, resource, scored=True)
            fractions.append(requested / capacity if capacity else 1.0)
        if max(fractions) >= 1:
            return 0
        return int((1 - abs(fractions[0] - fractions[1])) * 100.0)

    def evenness(self, pod, index):
        after, before = [], []
        for resource in self.resources:
            requested, capacity = self.allocation(pod, index, resource, scored=False)
            if capacity:
                after.append(min(requested / capacity, 1.0))
                there = requested - pod.requests.get(resource, 0)
                before.append(min(there / capacity, 1.0))
        if self.minor >= 36:
            return 50 + (50 + self.even(after) - self.even(before)) // 2
        return self.even(after)

    def even(self, fractions):
        std = 0.0
        if len(fractions) == 2:
            std = abs((fractions[0] - fractions[1]) / 2)
        elif len(fractions) > 2:
            total = 0.0
            for fraction in fractions:
                total += fraction
            mean = total / len(fractions)
            squares = 0.0
            for fraction in fractions:
                squares += (fraction - mean) * (fraction - mean)
            std = math.sqrt(squares / len(fractions))
        return int((1 - std) * 100.0)

    def zone(self, index):
        labels = self.nodes[index].labels
        zone = next((labels[k] for k in ZONE_KEYS if k in labels), "")
        region = next((labels[k] for k in REGION_KEYS if k in labels), "")
        return (region, zone) if region or zone else None

    def selector_spread(self, pod, indices):
        if pod.topology_spread_constraints:
            return [0] * len(indices), [0] * len(indices)
        selector = pod.spec.spread_selector
        raw = []
        for index in indices:
            count = 0
            if selector is not None and (selector.match_labels or selector.match_expressions):
                for other in self.on(index):
                    if other.namespace == pod.namespace and not other.terminating:
                        count += selector_holds(selector, dict(other.labels))
            raw.append(count)
        zones = {}
        for index, count in zip(indices, raw, strict=True):
            if self.zone(index):
                zones[self.zone(index)] = zones.get(self.zone(index), 0) + count
        most, most_zone = max(raw, default=0), max(zones.values(), default=0)
        scores = []
        for index, count in zip(indices, raw, strict=True):
            score = 100.0
            if most > 0:
                score = 100.0 * ((most - count) / most)
            zone = self.zone(index)
            if zone:
                zone_score = 100.0
                if most_zone > 0:
                    zone_score = 100.0 * ((most_zone - zones[zone]) / most_zone)
                score = score * (1.0 - 2.0 / 3.0) + (2.0 / 3.0) * zone_score
            scores.append(int(score))
        return raw, scores

    def pod_topology_spread_score(self, pod, indices):
        wanted = self.constraints(pod, "ScheduleAnyway")
        if not wanted:
            return [0] * len(indices), [0] * len(indices)

        # Under the system's constraints nodes that lack a label are scored, too, since 1.23.
        all_labels = bool(pod.topology_spread_constraints) or self.minor < 23

        def ignored(index):
            lacks = any(c.topology_key not in self.nodes[index].labels for c in wanted)
            return lacks and all_labels

        candidates = [index for index in indices if not ignored(index)]
        raw = []
        for index in indices:
            total = 0.0
            if not ignored(index):
                for c in wanted:
                    value = self.nodes[index].labels.get(c.topology_key)
                    values = {self.nodes[i].labels.get(c.topology_key) for i in candidates}
                    if value is None:
                        continue
                    if c.topology_key == "kubernetes.io/hostname":
                        size, count = len(candidates), self.counts_on(c, pod, index)
                    else:
                        size = len(values)
                        count = sum(
                            self.counts_on(c, pod, i)
                            for i, node in enumerate(self.nodes)
                            if not ignored(i)
                            and self.eligible(c, pod, i)
                            and node.labels.get(c.topology_key) == value
                        )
                    total += count * math.log(size + 2) + (c.max_skew - 1)
            raw.append(self.to_int(total))
        known = [s for s, i in zip(raw, indices, strict=True) if not ignored(i)]
        most, least = max(known, default=0), min(known, default=0)
        scores = []
        for index, score in zip(indices, raw, strict=True):
            if ignored(index):
                scores.append(0)
            elif most == 0:
                scores.append(100)
            else:
                scores.append(100 * (most + least - score) // most)
        return raw, scores

    def to_int(self, value):
        if self.minor < 24:
            return int(value)
        return int(value) + (1 if value - int(value) >= 0.5 else 0)

    def default_normalise(self, raw, reverse):
        most = max(raw, default=0)
        if most == 0:
            return [100 if reverse else 0] * len(raw)
        return [100 - 100 * s // most if reverse else 100 * s // most for s in raw]

    def node_affinity_score(self, pod, indices):
        preferred = pod.node_affinity.preferred if pod.node_affinity else ()
        raw = [
            sum(p.weight for p in preferred if self.node_term_holds(p.preference, self.nodes[i]))
            for i in indices
        ]
        return raw, self.default_normalise(raw, reverse=False)

    def taint_toleration_score(self, pod, indices):
        soft = [t for t in pod.tolerations if t.effect in ("", "PreferNoSchedule")]
        raw = [
            sum(
                1
                for taint in self.nodes[i].taints
                if taint.effect == "PreferNoSchedule"
                and not any(self.tolerates(t, taint) for t in soft)
            )
            for i in indices
        ]
        return raw, self.default_normalise(raw, reverse=True)

    def image_locality(self, pod, indices):
        sizes, holders = {}, {}
        for node in self.nodes:
            for image, size in node.images.items():
                sizes.setdefault(image, size)
                holders[image] = holders.get(image, 0) + 1
        scores = []
        for index in indices:
            total = 0
            images = [*pod.images, *(pod.init_images if self.minor >= 30 else ())]
            for image in images:
                tagged = image if image.rfind(":") > image.rfind("/") else image + ":latest"
                if tagged in self.nodes[index].images:
                    total += int(sizes[tagged] * (holders[tagged] / len(self.nodes)))
            least, most = 23 * MIB, 1000 * MIB * max(len(images), 1)
            total = min(max(total, least), most)
            scores.append(100 * (total - least) // (most - least))
        return scores, scores

    def inter_pod_affinity_score(self, pod, indices):
        tables = {}

        def pull(term, owner, subject, where, weight):
            there = self.nodes[where].labels
            if term_means(term, owner, subject, self.namespaces) and term.topology_key in there:
                pair = (term.topology_key, there[term.topology_key])
                tables[pair] = tables.get(pair, 0) + weight

        def preferred(p):
            near = p.pod_affinity.preferred if p.pod_affinity else ()
            away = p.pod_anti_affinity.preferred if p.pod_anti_affinity else ()
            return [(1, w) for w in near] + [(-1, w) for w in away]

        for other, where in self.placed:
            for sign, w in preferred(pod):
                pull(w.term, pod, other, where, sign * w.weight)
            for sign, w in preferred(other):
                pull(w.term, other, pod, where, sign * w.weight)
            for term in other.pod_affinity.required if other.pod_affinity else ():
                pull(term, other, pod, where, self.hard_weight)
        raw = [sum(tables.get(pair, 0) for pair in self.nodes[i].labels.items()) for i in indices]
        bounds = [*raw, 0] if self.minor < 22 else raw
        least, most = min(bounds, default=0), max(bounds, default=0)
        if least == most:
            return raw, [0] * len(raw)
        return raw, [int(100.0 * ((s - least) / (most - least))) for s in raw]

    # Each with its weight before 1.23 and since.
    SCORES: ClassVar = {
        "LeastAllocated": (least_allocated, 1, 1),
        "MostAllocated": (most_allocated, 1, 1),
        "BalancedAllocation": (balanced_allocation, 1, 1),
        "SelectorSpread": (selector_spread, 1, 1),
        "PodTopologySpread": (pod_topology_spread_score, 2, 2),
        "NodeAffinity": (node_affinity_score, 1, 2),
        "TaintToleration": (taint_toleration_score, 1, 3),
        "ImageLocality": (image_locality, 1, 1),
        "InterPodAffinity": (inter_pod_affinity_score, 1, 2),
    }

    def score(self, pod, indices):
        """{score: (raw, normalised)} and the totals with the default weights."""
        scores = {name: rule(self, pod, indices) for name, (rule, *_) in self.SCORES.items()}
        era = 2 if self.minor >= 23 else 1
        totals = [
            sum(scores[name][1][k] * self.SCORES[name][era] for name in self.SCORES)
            for k in range(len(indices))
        ]
        return scores, totals

    def place(self, pod):
        """The number of the first best feasible node, or None; the pod is placed there."""
        verdicts = self.filter(pod)
        feasible = [i for i in range(len(self.nodes)) if all(v[i] for v in verdicts.values())]
        if not feasible:
            return None
        _, totals = self.score(pod, feasible)
        best = feasible[totals.index(max(totals))]
        self.add(pod, best)
        return best
