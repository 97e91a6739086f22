# METADATA
# title: Networks
# description: |
#   Whether the subject's address, as the caller states it in `context.network.ip`, lies in one of the CIDR blocks of
#   `{"cidrs": [...]}`.
package lib.network

# METADATA
# title: Met
# description: The address lies in one of the blocks.
# custom:
#   code: network_met
met(network, asked) if {
	object.keys(network) == {"cidrs"}
	some cidr in network.cidrs
	net.cidr_contains(cidr, address(asked.context.network.ip))
}

# METADATA
# title: Unmet
# description: The address surely lies in none of them, since it and every block can be read.
# custom:
#   code: network_unmet
unmet(network, asked) if {
	is_array(network.cidrs)
	ip := address(asked.context.network.ip)
	every cidr in network.cidrs {
		net.cidr_contains(cidr, cidr)
		not net.cidr_contains(cidr, ip)
	}
}

# METADATA
# title: Address
# description: |
#   One address, never a block. An IPv4 address inside an IPv6 one (RFC 4291 section 2.5.5.2) counts as the IPv4
#   address; in any other spelling it cannot be read. Else a listed address could pass by in another form.
# custom:
#   code: network_address
address(text) := ip if {
	is_string(text)
	not contains(text, "/")
	ip := trim_prefix(lower(text), "::ffff:")
	some everything in ["0.0.0.0/0", "::/0"]
	net.cidr_contains(everything, ip)
	not embeds_ipv4(ip)
}

# METADATA
# title: Embeds IPv4
# description: An IPv6 address that stands for an IPv4 one.
# custom:
#   code: network_address
embeds_ipv4(ip) if {
	contains(ip, ":")
	net.cidr_contains("::ffff:0:0/96", ip)
}
