package lib.condition_test

import data.lib.condition

asked := {
	"now": 1800000000,
	"subject": {"type": "user", "id": "usr_1", "properties": {"department": "sales", "level": 3, "unset": null}},
	"resource": {"properties": {"department": "sales", "owner": "usr_1", "level": 3, "public": true, "unset": null}},
	"context": {"network": {"ip": "10.0.0.1"}, "authentication": {"amr": ["mfa"]}},
}

rule(attribute, equals) := {"resource": {"attribute": attribute, "equals": equals}}

met_ones := [
	{"mfa": {}},
	{"network": {"cidrs": ["10.0.0.0/8"]}},
	{"time": {"not_before": 1800000000}},
	rule("department", "sales"),
	rule("department", "subject.department"),
	rule("owner", "subject.id"),
	rule("level", 3),
	rule("level", "subject.level"),
	rule("public", true),
]

unmet_ones := [
	{"mfa": {"level": "phishing_resistant"}},
	{"network": {"cidrs": ["192.168.0.0/16"]}},
	{"time": {"not_after": 1799999999}},
	rule("department", "legal"),
	rule("owner", "subject.department"),
	rule("department", "subject.type"),
	rule("level", "3"),
	rule("public", false),
]

test_allow_what_holds if {
	every one in met_ones {
		condition.met(one, asked)
		not condition.unmet(one, asked)
	}
}

test_deny_what_does_not_hold if {
	every one in unmet_ones {
		not condition.met(one, asked)
		condition.unmet(one, asked)
	}
}

# A key acts as its service account, and for nobody else.
test_allow_an_api_key_as_its_account if {
	key := object.union(asked, {
		"subject": {"type": "api_key", "id": "key_1", "acts_as": {"type": "service_account", "id": "sa_1"}},
		"resource": {"properties": {"owner": "sa_1"}},
	})
	condition.met(rule("owner", "subject.id"), key)
	not condition.met(rule("owner", "key_1"), key)
}

# Threat: a caller who sends an id among the properties would own everything.
test_deny_an_id_that_the_caller_claims if {
	claimed := json.remove(
		object.union(asked, {"subject": {"properties": {"id": "usr_2"}}, "resource": {"properties": {"owner": "usr_2"}}}),
		["subject/id"],
	)
	not condition.met(rule("owner", "subject.id"), claimed)
}

# Threat: what neither side has a value for would be equal.
test_undefined_is_neither_met_nor_unmet if {
	every one in [
		rule("absent", "x"),
		rule("department", "subject.absent"),
		rule("absent", "subject.absent"),
		rule("unset", "subject.unset"),
		rule("unset", null),
		rule("department", "subject."),
		{"resource": {}},
		{"weather": {"is": "fine"}},
		{},
		"always",
		null,
		true,
	] {
		not condition.met(one, asked)
		not condition.unmet(one, asked)
	}
}

test_undefined_two_kinds_in_one if {
	not condition.met({"mfa": {}, "network": {"cidrs": ["10.0.0.0/8"]}}, asked)
	not condition.met({"resource": {"attribute": "department", "equals": "sales", "unless": true}}, asked)
}
