#!/usr/bin/env bash
# iptables 1.8.9 saves an nft rule with a set as a rule without it: "-A FORWARD -j DROP".
#
# Expected from memory: iptables-nft-save says of a table with rules that it cannot read, such as one with a
# set, "table is incompatible, use 'nft' tool", and leaves the rules out.
# Seen: it takes the table, and shows `ip saddr @blocked drop` as "-A FORWARD -j DROP", with exit status 0 and
# without a word. Restoring that drops all that is forwarded. A list in the rule itself ({ 10.0.0.1, 10.0.0.2 })
# is lost the same way; 1.8.11 does so, too. (As far as its source tells, a lookup is among the expressions
# that make no table incompatible, since ebtables needs it for --among-src, and nobody reads it back for
# IPv4: nft_is_expr_compatible in iptables/nft.c.)
# Whoever backs up, compares or restores by iptables-save what another agent may have written by nft has to
# heed it.
#
# Runs the tools of Debian 12 alone, in a network namespace of its own, without cnbench, and fails when any of
# this changes. Needs root, or user namespaces for all.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
iptables=1.8.9-2
nftables=1.0.6-2+deb12u2
apt-get download -qq "iptables=$iptables" "libxtables12=$iptables" "nftables=$nftables" "libnftables1=$nftables" \
  libnftnl11 libmnl0 libjansson4 libgmp10 libedit2 libbsd0 libmd0 libtinfo6 libnetfilter-conntrack3 libnfnetlink0
for package in ./*.deb; do dpkg-deb -x "$package" root; done
library=root/usr/lib/$(uname -m)-linux-gnu
export LD_LIBRARY_PATH=$folder/$library:$folder/root/lib/$(uname -m)-linux-gnu XTABLES_LIBDIR=$folder/$library/xtables
export PATH=$folder/root/usr/sbin:$PATH
seen=$(unshare --net --user --map-root-user bash -euc '
  nft "add table ip filter; add chain ip filter FORWARD { type filter hook forward priority 0; }"
  nft "add set ip filter blocked { type ipv4_addr; }; add rule ip filter FORWARD ip saddr @blocked drop"
  iptables-nft-save 2>&1
  echo "exit status $?"' | grep -v '^#')
iptables-nft --version 2>/dev/null || xtables-nft-multi iptables --version
echo "$seen"
grep -qx -- '-A FORWARD -j DROP' <<< "$seen" && grep -qx 'exit status 0' <<< "$seen"
