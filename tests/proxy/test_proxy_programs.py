# ruff: noqa: E501
"""Whole programs, rule by rule, against what kube-proxy's own tests expect for such services."""

import re

import pytest

from cnbench.proxy import (
    Endpoint,
    Node,
    Service,
    ServicePort,
    TrafficPolicy,
    generate,
    synthetic_services,
)
from cnbench.proxy.iptables import parts as iptables_parts
from cnbench.proxy.iptables import program as iptables
from cnbench.proxy.nftables import program as nftables

NODE = Node(
    pod_cidr="10.0.0.0/8",
    address="192.168.0.2",
    service_cidr="172.30.0.0/16",
    nfacct=True,
)


def service(number, *endpoints, node_port=0, **rest):
    """The service ns<number>/svc<number> with a port p80, at 172.30.0.4<number>."""
    behind = tuple(
        endpoint if isinstance(endpoint, Endpoint) else Endpoint(endpoint, 80)
        for endpoint in endpoints
    )
    ports = (ServicePort(80, behind, "p80", "tcp", node_port),)
    return Service(f"ns{number}", f"svc{number}", f"172.30.0.4{number}", ports, **rest)


MIXED = [
    service(1, "10.180.0.1"),
    service(
        2,
        "10.180.0.2",
        node_port=3001,
        external_ips=("192.168.99.22",),
        load_balancer_ips=("1.2.3.4",),
        external_policy=TrafficPolicy.LOCAL,
        health_check_node_port=30000,
    ),
    service(3, "10.180.0.3", node_port=3003),
    service(
        4, "10.180.0.4", Endpoint("10.180.0.5", 80, local=True), external_ips=("192.168.99.33",)
    ),
    service(
        5,
        "10.180.0.3",
        node_port=3002,
        load_balancer_ips=("5.6.7.8",),
        source_ranges=("203.0.113.0/25",),
        affinity_seconds=10800,
    ),
    service(6),
]

FILTER = r"""
-A KUBE-NODEPORTS -m comment --comment "ns2/svc2:p80 health check node port" -m tcp -p tcp --dport 30000 -j ACCEPT
-A KUBE-SERVICES -m comment --comment "ns6/svc6:p80 has no endpoints" -m tcp -p tcp -d 172.30.0.46 --dport 80 -j REJECT
-A KUBE-EXTERNAL-SERVICES -m comment --comment "ns2/svc2:p80 has no local endpoints" -m tcp -p tcp -d 192.168.99.22 --dport 80 -j DROP
-A KUBE-EXTERNAL-SERVICES -m comment --comment "ns2/svc2:p80 has no local endpoints" -m tcp -p tcp -d 1.2.3.4 --dport 80 -j DROP
-A KUBE-EXTERNAL-SERVICES -m comment --comment "ns2/svc2:p80 has no local endpoints" -m addrtype --dst-type LOCAL -m tcp -p tcp --dport 3001 -j DROP
-A KUBE-FIREWALL -m comment --comment "block incoming localnet connections" -d 127.0.0.0/8 ! -s 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP
-A KUBE-FORWARD -m conntrack --ctstate INVALID -m nfacct --nfacct-name ct_state_invalid_dropped_pkts -j DROP
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x4000/0x4000 -j ACCEPT
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A KUBE-PROXY-FIREWALL -m comment --comment "ns5/svc5:p80 traffic not accepted by KUBE-FW-NUKIZ6OKUXPJNT4C" -m tcp -p tcp -d 5.6.7.8 --dport 80 -j DROP
"""

NAT = r"""
-A KUBE-NODEPORTS -m comment --comment ns2/svc2:p80 -m tcp -p tcp -d 127.0.0.0/8 --dport 3001 -m nfacct --nfacct-name localhost_nps_accepted_pkts -j KUBE-EXT-GNZBNJ2PO5MGZ6GT
-A KUBE-NODEPORTS -m comment --comment ns2/svc2:p80 -m tcp -p tcp --dport 3001 -j KUBE-EXT-GNZBNJ2PO5MGZ6GT
-A KUBE-NODEPORTS -m comment --comment ns3/svc3:p80 -m tcp -p tcp -d 127.0.0.0/8 --dport 3003 -m nfacct --nfacct-name localhost_nps_accepted_pkts -j KUBE-EXT-X27LE4BHSL4DOUIK
-A KUBE-NODEPORTS -m comment --comment ns3/svc3:p80 -m tcp -p tcp --dport 3003 -j KUBE-EXT-X27LE4BHSL4DOUIK
-A KUBE-NODEPORTS -m comment --comment ns5/svc5:p80 -m tcp -p tcp -d 127.0.0.0/8 --dport 3002 -m nfacct --nfacct-name localhost_nps_accepted_pkts -j KUBE-EXT-NUKIZ6OKUXPJNT4C
-A KUBE-NODEPORTS -m comment --comment ns5/svc5:p80 -m tcp -p tcp --dport 3002 -j KUBE-EXT-NUKIZ6OKUXPJNT4C
-A KUBE-SERVICES -m comment --comment "ns1/svc1:p80 cluster IP" -m tcp -p tcp -d 172.30.0.41 --dport 80 -j KUBE-SVC-XPGD46QRK7WJZT7O
-A KUBE-SERVICES -m comment --comment "ns2/svc2:p80 cluster IP" -m tcp -p tcp -d 172.30.0.42 --dport 80 -j KUBE-SVC-GNZBNJ2PO5MGZ6GT
-A KUBE-SERVICES -m comment --comment "ns2/svc2:p80 external IP" -m tcp -p tcp -d 192.168.99.22 --dport 80 -j KUBE-EXT-GNZBNJ2PO5MGZ6GT
-A KUBE-SERVICES -m comment --comment "ns2/svc2:p80 loadbalancer IP" -m tcp -p tcp -d 1.2.3.4 --dport 80 -j KUBE-EXT-GNZBNJ2PO5MGZ6GT
-A KUBE-SERVICES -m comment --comment "ns3/svc3:p80 cluster IP" -m tcp -p tcp -d 172.30.0.43 --dport 80 -j KUBE-SVC-X27LE4BHSL4DOUIK
-A KUBE-SERVICES -m comment --comment "ns4/svc4:p80 cluster IP" -m tcp -p tcp -d 172.30.0.44 --dport 80 -j KUBE-SVC-4SW47YFZTEDKD3PK
-A KUBE-SERVICES -m comment --comment "ns4/svc4:p80 external IP" -m tcp -p tcp -d 192.168.99.33 --dport 80 -j KUBE-EXT-4SW47YFZTEDKD3PK
-A KUBE-SERVICES -m comment --comment "ns5/svc5:p80 cluster IP" -m tcp -p tcp -d 172.30.0.45 --dport 80 -j KUBE-SVC-NUKIZ6OKUXPJNT4C
-A KUBE-SERVICES -m comment --comment "ns5/svc5:p80 loadbalancer IP" -m tcp -p tcp -d 5.6.7.8 --dport 80 -j KUBE-FW-NUKIZ6OKUXPJNT4C
-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
-A KUBE-EXT-4SW47YFZTEDKD3PK -m comment --comment "masquerade traffic for ns4/svc4:p80 external destinations" -j KUBE-MARK-MASQ
-A KUBE-EXT-4SW47YFZTEDKD3PK -j KUBE-SVC-4SW47YFZTEDKD3PK
-A KUBE-EXT-GNZBNJ2PO5MGZ6GT -m comment --comment "pod traffic for ns2/svc2:p80 external destinations" -s 10.0.0.0/8 -j KUBE-SVC-GNZBNJ2PO5MGZ6GT
-A KUBE-EXT-GNZBNJ2PO5MGZ6GT -m comment --comment "masquerade LOCAL traffic for ns2/svc2:p80 external destinations" -m addrtype --src-type LOCAL -j KUBE-MARK-MASQ
-A KUBE-EXT-GNZBNJ2PO5MGZ6GT -m comment --comment "route LOCAL traffic for ns2/svc2:p80 external destinations" -m addrtype --src-type LOCAL -j KUBE-SVC-GNZBNJ2PO5MGZ6GT
-A KUBE-EXT-NUKIZ6OKUXPJNT4C -m comment --comment "masquerade traffic for ns5/svc5:p80 external destinations" -j KUBE-MARK-MASQ
-A KUBE-EXT-NUKIZ6OKUXPJNT4C -j KUBE-SVC-NUKIZ6OKUXPJNT4C
-A KUBE-EXT-X27LE4BHSL4DOUIK -m comment --comment "masquerade traffic for ns3/svc3:p80 external destinations" -j KUBE-MARK-MASQ
-A KUBE-EXT-X27LE4BHSL4DOUIK -j KUBE-SVC-X27LE4BHSL4DOUIK
-A KUBE-FW-NUKIZ6OKUXPJNT4C -m comment --comment "ns5/svc5:p80 loadbalancer IP" -s 203.0.113.0/25 -j KUBE-EXT-NUKIZ6OKUXPJNT4C
-A KUBE-FW-NUKIZ6OKUXPJNT4C -m comment --comment "other traffic to ns5/svc5:p80 will be dropped by KUBE-PROXY-FIREWALL"
-A KUBE-MARK-MASQ -j MARK --or-mark 0x4000
-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
-A KUBE-POSTROUTING -j MARK --xor-mark 0x4000
-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully
-A KUBE-SEP-C6EBXVWJJZMIWKLZ -m comment --comment ns4/svc4:p80 -s 10.180.0.5 -j KUBE-MARK-MASQ
-A KUBE-SEP-C6EBXVWJJZMIWKLZ -m comment --comment ns4/svc4:p80 -m tcp -p tcp -j DNAT --to-destination 10.180.0.5:80
-A KUBE-SEP-I77PXRDZVX7PMWMN -m comment --comment ns5/svc5:p80 -s 10.180.0.3 -j KUBE-MARK-MASQ
-A KUBE-SEP-I77PXRDZVX7PMWMN -m comment --comment ns5/svc5:p80 -m recent --name KUBE-SEP-I77PXRDZVX7PMWMN --set -m tcp -p tcp -j DNAT --to-destination 10.180.0.3:80
-A KUBE-SEP-OYPFS5VJICHGATKP -m comment --comment ns3/svc3:p80 -s 10.180.0.3 -j KUBE-MARK-MASQ
-A KUBE-SEP-OYPFS5VJICHGATKP -m comment --comment ns3/svc3:p80 -m tcp -p tcp -j DNAT --to-destination 10.180.0.3:80
-A KUBE-SEP-RS4RBKLTHTF2IUXJ -m comment --comment ns2/svc2:p80 -s 10.180.0.2 -j KUBE-MARK-MASQ
-A KUBE-SEP-RS4RBKLTHTF2IUXJ -m comment --comment ns2/svc2:p80 -m tcp -p tcp -j DNAT --to-destination 10.180.0.2:80
-A KUBE-SEP-SXIVWICOYRO3J4NJ -m comment --comment ns1/svc1:p80 -s 10.180.0.1 -j KUBE-MARK-MASQ
-A KUBE-SEP-SXIVWICOYRO3J4NJ -m comment --comment ns1/svc1:p80 -m tcp -p tcp -j DNAT --to-destination 10.180.0.1:80
-A KUBE-SEP-UKSFD7AGPMPPLUHC -m comment --comment ns4/svc4:p80 -s 10.180.0.4 -j KUBE-MARK-MASQ
-A KUBE-SEP-UKSFD7AGPMPPLUHC -m comment --comment ns4/svc4:p80 -m tcp -p tcp -j DNAT --to-destination 10.180.0.4:80
-A KUBE-SVC-4SW47YFZTEDKD3PK -m comment --comment "ns4/svc4:p80 cluster IP" -m tcp -p tcp -d 172.30.0.44 --dport 80 ! -s 10.0.0.0/8 -j KUBE-MARK-MASQ
-A KUBE-SVC-4SW47YFZTEDKD3PK -m comment --comment "ns4/svc4:p80 -> 10.180.0.4:80" -m statistic --mode random --probability 0.5000000000 -j KUBE-SEP-UKSFD7AGPMPPLUHC
-A KUBE-SVC-4SW47YFZTEDKD3PK -m comment --comment "ns4/svc4:p80 -> 10.180.0.5:80" -j KUBE-SEP-C6EBXVWJJZMIWKLZ
-A KUBE-SVC-GNZBNJ2PO5MGZ6GT -m comment --comment "ns2/svc2:p80 cluster IP" -m tcp -p tcp -d 172.30.0.42 --dport 80 ! -s 10.0.0.0/8 -j KUBE-MARK-MASQ
-A KUBE-SVC-GNZBNJ2PO5MGZ6GT -m comment --comment "ns2/svc2:p80 -> 10.180.0.2:80" -j KUBE-SEP-RS4RBKLTHTF2IUXJ
-A KUBE-SVC-NUKIZ6OKUXPJNT4C -m comment --comment "ns5/svc5:p80 cluster IP" -m tcp -p tcp -d 172.30.0.45 --dport 80 ! -s 10.0.0.0/8 -j KUBE-MARK-MASQ
-A KUBE-SVC-NUKIZ6OKUXPJNT4C -m comment --comment "ns5/svc5:p80 -> 10.180.0.3:80" -m recent --name KUBE-SEP-I77PXRDZVX7PMWMN --rcheck --seconds 10800 --reap -j KUBE-SEP-I77PXRDZVX7PMWMN
-A KUBE-SVC-NUKIZ6OKUXPJNT4C -m comment --comment "ns5/svc5:p80 -> 10.180.0.3:80" -j KUBE-SEP-I77PXRDZVX7PMWMN
-A KUBE-SVC-X27LE4BHSL4DOUIK -m comment --comment "ns3/svc3:p80 cluster IP" -m tcp -p tcp -d 172.30.0.43 --dport 80 ! -s 10.0.0.0/8 -j KUBE-MARK-MASQ
-A KUBE-SVC-X27LE4BHSL4DOUIK -m comment --comment "ns3/svc3:p80 -> 10.180.0.3:80" -j KUBE-SEP-OYPFS5VJICHGATKP
-A KUBE-SVC-XPGD46QRK7WJZT7O -m comment --comment "ns1/svc1:p80 cluster IP" -m tcp -p tcp -d 172.30.0.41 --dport 80 ! -s 10.0.0.0/8 -j KUBE-MARK-MASQ
-A KUBE-SVC-XPGD46QRK7WJZT7O -m comment --comment "ns1/svc1:p80 -> 10.180.0.1:80" -j KUBE-SEP-SXIVWICOYRO3J4NJ
"""

NFTABLES = r"""
add rule cluster-ips-check ip daddr @cluster-ips reject comment "Reject traffic to invalid ports of ClusterIPs"
add rule cluster-ips-check ip daddr { 172.30.0.0/16 } drop comment "Drop traffic to unallocated ClusterIPs"
add rule filter-prerouting-pre-dnat ct state new jump firewall-check
add rule filter-forward ct state new jump service-endpoints-check
add rule filter-forward ct state new jump cluster-ips-check
add rule filter-input ct state new jump nodeport-endpoints-check
add rule filter-input ct state new jump service-endpoints-check
add rule filter-output ct state new jump service-endpoints-check
add rule filter-output-pre-dnat ct state new jump firewall-check
add rule filter-output ct state new jump cluster-ips-check
add rule firewall-check ip daddr . meta l4proto . th dport vmap @firewall-ips
add rule mark-for-masquerade mark set mark or 0x4000
add rule masquerading mark and 0x4000 == 0 return
add rule masquerading mark set mark xor 0x4000
add rule masquerading masquerade fully-random
add rule nat-output jump services
add rule nat-postrouting jump masquerading
add rule nat-prerouting jump services
add rule nodeport-endpoints-check ip daddr @nodeport-ips meta l4proto . th dport vmap @no-endpoint-nodeports
add rule reject-chain reject
add rule services ip daddr . meta l4proto . th dport vmap @service-ips
add rule services ip daddr @nodeport-ips meta l4proto . th dport vmap @service-nodeports
add element nodeport-ips { 192.168.0.2 }
add rule service-endpoints-check ip daddr . meta l4proto . th dport vmap @no-endpoint-services
add rule service-ULMVA6XW-ns1/svc1/tcp/p80 ip daddr 172.30.0.41 ip saddr != 10.0.0.0/8 jump mark-for-masquerade
add rule service-ULMVA6XW-ns1/svc1/tcp/p80 numgen random mod 1 vmap { 0 : goto endpoint-5OJB2KTY-ns1/svc1/tcp/p80__10.180.0.1/80 }
add rule endpoint-5OJB2KTY-ns1/svc1/tcp/p80__10.180.0.1/80 ip saddr 10.180.0.1 jump mark-for-masquerade
add rule endpoint-5OJB2KTY-ns1/svc1/tcp/p80__10.180.0.1/80 meta l4proto tcp dnat to 10.180.0.1:80
add element cluster-ips { 172.30.0.41 }
add element service-ips { 172.30.0.41 . tcp . 80 : goto service-ULMVA6XW-ns1/svc1/tcp/p80 }
add rule service-42NFTM6N-ns2/svc2/tcp/p80 ip daddr 172.30.0.42 ip saddr != 10.0.0.0/8 jump mark-for-masquerade
add rule service-42NFTM6N-ns2/svc2/tcp/p80 numgen random mod 1 vmap { 0 : goto endpoint-SGOXE6O3-ns2/svc2/tcp/p80__10.180.0.2/80 }
add rule external-42NFTM6N-ns2/svc2/tcp/p80 ip saddr 10.0.0.0/8 goto service-42NFTM6N-ns2/svc2/tcp/p80 comment "short-circuit pod traffic"
add rule external-42NFTM6N-ns2/svc2/tcp/p80 fib saddr type local jump mark-for-masquerade comment "masquerade local traffic"
add rule external-42NFTM6N-ns2/svc2/tcp/p80 fib saddr type local goto service-42NFTM6N-ns2/svc2/tcp/p80 comment "short-circuit local traffic"
add rule endpoint-SGOXE6O3-ns2/svc2/tcp/p80__10.180.0.2/80 ip saddr 10.180.0.2 jump mark-for-masquerade
add rule endpoint-SGOXE6O3-ns2/svc2/tcp/p80__10.180.0.2/80 meta l4proto tcp dnat to 10.180.0.2:80
add element cluster-ips { 172.30.0.42 }
add element service-ips { 172.30.0.42 . tcp . 80 : goto service-42NFTM6N-ns2/svc2/tcp/p80 }
add element service-ips { 192.168.99.22 . tcp . 80 : goto external-42NFTM6N-ns2/svc2/tcp/p80 }
add element service-ips { 1.2.3.4 . tcp . 80 : goto external-42NFTM6N-ns2/svc2/tcp/p80 }
add element service-nodeports { tcp . 3001 : goto external-42NFTM6N-ns2/svc2/tcp/p80 }
add element no-endpoint-nodeports { tcp . 3001 comment "ns2/svc2:p80" : drop }
add element no-endpoint-services { 1.2.3.4 . tcp . 80 comment "ns2/svc2:p80" : drop }
add element no-endpoint-services { 192.168.99.22 . tcp . 80 comment "ns2/svc2:p80" : drop }
add rule service-4AT6LBPK-ns3/svc3/tcp/p80 ip daddr 172.30.0.43 ip saddr != 10.0.0.0/8 jump mark-for-masquerade
add rule service-4AT6LBPK-ns3/svc3/tcp/p80 numgen random mod 1 vmap { 0 : goto endpoint-UEIP74TE-ns3/svc3/tcp/p80__10.180.0.3/80 }
add rule external-4AT6LBPK-ns3/svc3/tcp/p80 jump mark-for-masquerade
add rule external-4AT6LBPK-ns3/svc3/tcp/p80 goto service-4AT6LBPK-ns3/svc3/tcp/p80
add rule endpoint-UEIP74TE-ns3/svc3/tcp/p80__10.180.0.3/80 ip saddr 10.180.0.3 jump mark-for-masquerade
add rule endpoint-UEIP74TE-ns3/svc3/tcp/p80__10.180.0.3/80 meta l4proto tcp dnat to 10.180.0.3:80
add element cluster-ips { 172.30.0.43 }
add element service-ips { 172.30.0.43 . tcp . 80 : goto service-4AT6LBPK-ns3/svc3/tcp/p80 }
add element service-nodeports { tcp . 3003 : goto external-4AT6LBPK-ns3/svc3/tcp/p80 }
add rule service-LAUZTJTB-ns4/svc4/tcp/p80 ip daddr 172.30.0.44 ip saddr != 10.0.0.0/8 jump mark-for-masquerade
add rule service-LAUZTJTB-ns4/svc4/tcp/p80 numgen random mod 2 vmap { 0 : goto endpoint-UNZV3OEC-ns4/svc4/tcp/p80__10.180.0.4/80 , 1 : goto endpoint-5RFCDDV7-ns4/svc4/tcp/p80__10.180.0.5/80 }
add rule external-LAUZTJTB-ns4/svc4/tcp/p80 jump mark-for-masquerade
add rule external-LAUZTJTB-ns4/svc4/tcp/p80 goto service-LAUZTJTB-ns4/svc4/tcp/p80
add rule endpoint-5RFCDDV7-ns4/svc4/tcp/p80__10.180.0.5/80 ip saddr 10.180.0.5 jump mark-for-masquerade
add rule endpoint-5RFCDDV7-ns4/svc4/tcp/p80__10.180.0.5/80 meta l4proto tcp dnat to 10.180.0.5:80
add rule endpoint-UNZV3OEC-ns4/svc4/tcp/p80__10.180.0.4/80 ip saddr 10.180.0.4 jump mark-for-masquerade
add rule endpoint-UNZV3OEC-ns4/svc4/tcp/p80__10.180.0.4/80 meta l4proto tcp dnat to 10.180.0.4:80
add element cluster-ips { 172.30.0.44 }
add element service-ips { 172.30.0.44 . tcp . 80 : goto service-LAUZTJTB-ns4/svc4/tcp/p80 }
add element service-ips { 192.168.99.33 . tcp . 80 : goto external-LAUZTJTB-ns4/svc4/tcp/p80 }
add set affinity-GTK6MW7G-ns5/svc5/tcp/p80__10.180.0.3/80 { type ipv4_addr ; flags dynamic,timeout ; timeout 10800s ; }
add rule service-HVFWP5L3-ns5/svc5/tcp/p80 ip daddr 172.30.0.45 ip saddr != 10.0.0.0/8 jump mark-for-masquerade
add rule service-HVFWP5L3-ns5/svc5/tcp/p80 ip saddr @affinity-GTK6MW7G-ns5/svc5/tcp/p80__10.180.0.3/80 goto endpoint-GTK6MW7G-ns5/svc5/tcp/p80__10.180.0.3/80
add rule service-HVFWP5L3-ns5/svc5/tcp/p80 numgen random mod 1 vmap { 0 : goto endpoint-GTK6MW7G-ns5/svc5/tcp/p80__10.180.0.3/80 }
add rule external-HVFWP5L3-ns5/svc5/tcp/p80 jump mark-for-masquerade
add rule external-HVFWP5L3-ns5/svc5/tcp/p80 goto service-HVFWP5L3-ns5/svc5/tcp/p80
add rule endpoint-GTK6MW7G-ns5/svc5/tcp/p80__10.180.0.3/80 ip saddr 10.180.0.3 jump mark-for-masquerade
add rule endpoint-GTK6MW7G-ns5/svc5/tcp/p80__10.180.0.3/80 update @affinity-GTK6MW7G-ns5/svc5/tcp/p80__10.180.0.3/80 { ip saddr }
add rule endpoint-GTK6MW7G-ns5/svc5/tcp/p80__10.180.0.3/80 meta l4proto tcp dnat to 10.180.0.3:80
add rule firewall-HVFWP5L3-ns5/svc5/tcp/p80 ip saddr != { 203.0.113.0/25 } drop
add element cluster-ips { 172.30.0.45 }
add element service-ips { 172.30.0.45 . tcp . 80 : goto service-HVFWP5L3-ns5/svc5/tcp/p80 }
add element service-ips { 5.6.7.8 . tcp . 80 : goto external-HVFWP5L3-ns5/svc5/tcp/p80 }
add element service-nodeports { tcp . 3002 : goto external-HVFWP5L3-ns5/svc5/tcp/p80 }
add element firewall-ips { 5.6.7.8 . tcp . 80 : goto firewall-HVFWP5L3-ns5/svc5/tcp/p80 }
add element cluster-ips { 172.30.0.46 }
add element no-endpoint-services { 172.30.0.46 . tcp . 80 comment "ns6/svc6:p80" : goto reject-chain }
"""


def by_container(lines, container):
    """The lines of each chain (or set), in the order they have there."""
    found = {}
    for line in lines:
        if match := re.match(container, line):
            found.setdefault(match[0], []).append(line)
    return found


def tables(program):
    filter_part, nat_part = program.split("*nat\n")
    return filter_part.splitlines(), nat_part.splitlines()


def test_iptables_rules_are_kube_proxys_chain_by_chain():
    filter_lines, nat_lines = tables(generate("iptables", MIXED, NODE))
    chain = r"-A (\S+)"
    assert by_container(filter_lines, chain) == by_container(FILTER.splitlines(), chain)
    assert by_container(nat_lines, chain) == by_container(NAT.splitlines(), chain)


def test_every_iptables_chain_is_declared_before_its_rules():
    _, nat_lines = tables(generate("iptables", MIXED, NODE))
    declared = [line[1:].split()[0] for line in nat_lines if line.startswith(":")]
    used = {line.split()[1] for line in nat_lines if line.startswith("-A")}
    assert len(declared) == len(set(declared))
    assert used <= set(declared)


def test_nftables_rules_are_kube_proxys_chain_by_chain():
    node = Node(
        pod_cidr=NODE.pod_cidr,
        address=NODE.address,
        service_cidr=NODE.service_cidr,
        node_port_addresses=(f"{NODE.address}/32",),
    )
    lines = [
        line.replace("ip kube-proxy ", "")
        for line in generate("nftables", MIXED, node).splitlines()
    ]
    wanted = NFTABLES.splitlines()
    rule = r"add rule (\S+)"
    assert by_container(lines, rule) == by_container(wanted, rule)
    element = r"add element (\S+)"
    assert {k: set(v) for k, v in by_container(lines, element).items()} == {
        k: set(v) for k, v in by_container(wanted, element).items()
    }
    assert next(line for line in wanted if line.startswith("add set")) in lines


@pytest.mark.parametrize(("count", "endpoints", "rules"), [(1, 1, 10), (1, 10, 37), (10, 10, 325)])
def test_the_number_of_nat_rules(count, endpoints, rules):
    _, nat_lines = tables(generate("iptables", synthetic_services(count, endpoints)))
    assert sum(line.startswith("-A") for line in nat_lines) == rules
    assert rules == 5 + count * (2 + 3 * endpoints)


def test_probabilities_are_one_over_those_left_with_ten_decimals():
    program = generate("iptables", synthetic_services(1, 7))
    assert re.findall(r"--probability (\S+)", program) == [
        "0.1428571429",
        "0.1666666667",
        "0.2000000000",
        "0.2500000000",
        "0.3333333333",
        "0.5000000000",
    ]


def test_above_a_thousand_endpoints_their_comments_are_dropped():
    small = generate("iptables", synthetic_services(500, 2))
    large = generate("iptables", synthetic_services(501, 2))
    assert "->" in small
    assert "--comment bench/svc-0:p80 " in small
    assert "->" not in large
    assert "--comment bench/svc-0:p80 " not in large
    assert '--comment "bench/svc-0:p80 cluster IP"' in large


def test_endpoints_stand_in_the_order_of_their_text():
    backends = {0: [Endpoint("10.0.0.9", 80), Endpoint("10.0.0.10", 80)]}
    found = re.findall(
        r"-> (\S+)\"", generate("iptables", synthetic_services(1, 2, backends=backends))
    )
    assert found == ["10.0.0.10:80", "10.0.0.9:80"]


def test_where_node_ports_are_accepted():
    primary = Node(address="192.0.2.7")
    chosen = Node(
        address="192.0.2.7",
        more_addresses=("192.0.2.8",),
        node_port_addresses=("192.0.2.8/31",),
    )
    everywhere = Node(address="192.0.2.7", node_port_addresses=("0.0.0.0/0",))
    assert "--dst-type LOCAL -j KUBE-NODEPORTS" in generate("iptables", [], primary)
    assert "-d 192.0.2.8 -j KUBE-NODEPORTS" in generate("iptables", [], chosen)
    assert generate("iptables", [], everywhere) == generate("iptables", [], primary)
    assert "nodeport-ips { 192.0.2.7 }" in generate("nftables", [], primary)
    assert "nodeport-ips { 192.0.2.8 }" in generate("nftables", [], chosen)
    assert "fib daddr type local ip daddr != 127.0.0.0/8" in generate("nftables", [], everywhere)
    assert "element ip kube-proxy nodeport-ips" not in generate("nftables", [], Node())
    assert "-t 192.0.2.7:3003" in generate("ipvs", [MIXED[2]], everywhere)


@pytest.mark.parametrize("mode", ["iptables", "nftables"])
def test_headless_services_have_no_rules(mode):
    headless = Service("ns", "db", "", (ServicePort(80, (Endpoint("10.0.0.1", 80),)),))
    assert generate(mode, [headless]) == generate(mode, [])


def test_endpoints_that_are_not_ready_count_only_while_none_is():
    gone = Endpoint("10.0.0.1", 80, ready=False, serving=True, terminating=True)
    dead = Endpoint("10.0.0.2", 80, ready=False, serving=False)
    assert iptables.endpoint_chain(service(1), service(1).ports[0], gone) in generate(
        "iptables", [service(1, gone, dead)]
    )
    assert "10.0.0.1" not in generate("iptables", [service(1, gone, "10.0.0.3")])
    assert "has no endpoints" in generate("iptables", [service(1, dead)])


def test_a_local_internal_policy_keeps_to_this_nodes_endpoints():
    here = Endpoint("10.0.0.1", 80, local=True)
    policy = {"internal_policy": TrafficPolicy.LOCAL}
    program = generate("iptables", [service(1, here, "10.0.0.2", **policy)])
    assert "-j KUBE-SVL-XPGD46QRK7WJZT7O" in program
    assert "10.0.0.2" not in program
    assert "has no local endpoints" in generate("iptables", [service(1, "10.0.0.2", **policy)])
    assert 'comment "ns1/svc1:p80" : drop' in generate(
        "nftables", [service(1, "10.0.0.2", **policy)]
    )


def test_masquerading_everything_matches_no_source():
    program = generate("iptables", [service(1, "10.0.0.1")], Node(masquerade_all=True))
    assert "--dport 80 -j KUBE-MARK-MASQ" in program
    unknown = generate("iptables", [service(1, "10.0.0.1")], Node(pod_cidr=""))
    assert '"ns1/svc1:p80 cluster IP" -m tcp -p tcp -d 172.30.0.41 --dport 80 ! -s' not in unknown


def test_a_partial_sync_has_every_jump_and_only_the_changed_chains():
    services = synthetic_services(3, 2)
    chunks = iptables.chunks(services, Node(), changed={services[1].key}, stale=["KUBE-SEP-GONE"])
    _, nat_lines = tables("".join(chunks))
    assert (
        sum("cluster IP" in line for line in nat_lines if line.startswith("-A KUBE-SERVICES")) == 3
    )
    own = {line.split()[1] for line in nat_lines if re.match(r"-A KUBE-(SVC|SEP)", line)}
    assert own == set(iptables.chains_of(services[1]))
    assert ":KUBE-SEP-GONE - [0:0]" in nat_lines
    assert "-X KUBE-SEP-GONE" in nat_lines


def test_an_nftables_update_touches_the_changed_service_alone():
    before, after = service(1, "10.0.0.1"), service(1, "10.0.0.2")
    lines = nftables.update([before], [after], NODE).splitlines()
    assert not [line for line in lines if "element" in line]
    assert nftables.update([after], [after], NODE).count("element") == 0
    deleted = nftables.update([after], [], NODE).splitlines()
    assert deleted == [
        "delete element ip kube-proxy cluster-ips { 172.30.0.41 }",
        "delete element ip kube-proxy service-ips { 172.30.0.41 . tcp . 80 }",
    ]
    assert nftables.update([], [after], NODE).count("add element") == 2


def test_losing_the_last_endpoint_moves_the_element():
    lines = nftables.update([service(1, "10.0.0.1")], [service(1)], NODE).splitlines()
    assert lines == [
        "delete element ip kube-proxy service-ips { 172.30.0.41 . tcp . 80 }",
        "add element ip kube-proxy no-endpoint-services "
        '{ 172.30.0.41 . tcp . 80 comment "ns1/svc1:p80" : goto reject-chain }',
    ]


def rules_of(program):
    return [line for line in program.splitlines() if line.startswith("-A")]


def test_parts_are_the_same_program_with_chains_in_falling_order():
    services = synthetic_services(600, 2)  # of a large cluster, which no part is
    parts = list(iptables_parts.parts(services, Node(), 100))
    assert [done for done, _ in parts] == [*range(50, 601, 50)]
    whole = iptables.program(services, Node(), from_empty=True)
    together = "".join(text for _, text in parts)
    assert sorted(rules_of(together)) == sorted(rules_of(whole))
    for chain in ("KUBE-SERVICES", "KUBE-FORWARD"):
        in_chain = [
            [rule for rule in rules_of(program) if rule.split()[1] == chain]
            for program in (together, whole)
        ]
        assert in_chain[0] == in_chain[1]
    for _, text in parts:
        own = re.findall(r"^:(KUBE-S[VE][CP]-\w+)", text, re.M)
        assert own == sorted(own, reverse=True)
    declared = re.findall(r"^:\S+", together, re.M)
    assert sorted(declared) == sorted(re.findall(r"^:\S+", whole, re.M))
