package lib.permission_test

import data.lib.permission

test_allow_exact_and_wildcards if {
	every pattern in ["document:read", "document:*", "*:read", "*:*"] {
		permission.covers([pattern], permission.patterns("document", "read"))
	}
}

test_deny_everything_else if {
	every pattern in ["document:write", "invoice:read", "doc*:read", "document", "*", "", ":", "document:read:x"] {
		not permission.covers([pattern], permission.patterns("document", "read"))
	}
}

# A caller who asks for "*" gains nothing from a grant of one thing.
test_deny_asked_wildcard if not permission.covers(["document:read"], permission.patterns("*", "*"))

test_undefined_operands if {
	not permission.covers([null, {}], permission.patterns("document", "read"))
	not permission.covers(null, permission.patterns("document", "read"))
}
