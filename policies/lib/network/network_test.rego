package lib.network_test

import data.lib.network

office := {"cidrs": ["10.0.0.0/8", "2001:db8::/32"]}

from(ip) := {"context": {"network": {"ip": ip}}}

test_allow_an_address_inside if {
	every ip in ["10.0.0.0", "10.255.255.255", "2001:db8::1", "2001:DB8:FFFF::1", "::ffff:10.1.2.3"] {
		network.met(office, from(ip))
		not network.unmet(office, from(ip))
	}
}

test_deny_an_address_outside if {
	every ip in ["9.255.255.255", "11.0.0.0", "2001:db9::1", "::1", "::ffff:11.1.2.3"] {
		not network.met(office, from(ip))
		network.unmet(office, from(ip))
	}
}

# Threats: a block that holds every address, and a spelling that a list does not know.
test_undefined_address_is_neither_met_nor_unmet if {
	every ip in ["", "10.0.0.0/8", "10.0.0.256", "10.0.0", "somewhere", "0:0:0:0:0:ffff:a00:1", "::ffff:a00:1", 7, null] {
		not network.met(office, from(ip))
		not network.unmet(office, from(ip))
	}
	not network.met(office, {"context": {}})
	not network.unmet(office, {"context": {}})
}

test_undefined_blocks_are_neither_met_nor_unmet if {
	every one in [{"cidrs": ["everywhere"]}, {"cidrs": "10.0.0.0/8"}, {}, "10.0.0.0/8", null] {
		not network.met(one, from("10.0.0.1"))
		not network.unmet(one, from("10.0.0.1"))
	}
	not network.met({"cidrs": ["10.0.0.0/8"], "except": ["10.0.0.1/32"]}, from("10.0.0.1"))
}
