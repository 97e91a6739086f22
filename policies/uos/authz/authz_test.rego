package uos.authz_test

import data.uos.authz

tenant := "org_01h455vb4pex5vsknk084sn02q"

other := "org_01h455vb4pex5vsknk084sn02r"

mfa := {"authentication": {"amr": ["pwd", "otp", "mfa"]}}

# A question nobody has been granted; each test states only what it changes.
question := {
	"now": 1000,
	"organization": {"id": tenant, "status": "active"},
	"subject": {"type": "user", "id": "usr_1", "known": true, "status": "active", "teams": []},
	"bindings": [],
	"action": {"name": "read"},
	"resource": {"type": "document", "id": "42", "properties": {}},
	"context": {},
}

reader := {
	"id": "bind_1",
	"role": "reader",
	"permissions": ["document:read"],
	"effect": "allow",
	"scope": {"type": "organization", "id": tenant},
}

asking(changes) := answer if {
	answer := authz.decision with input as object.union(question, changes)
}

holding(role) := object.union(reader, {"role": role, "permissions": []})

at_platform := {"organization": {"id": data.platform.organization, "status": "active"}}

operator := object.union(holding("PlatformOperator"), {"scope": {
	"type": "organization",
	"id": data.platform.organization,
}})

# decision

test_allow_custom_role if {
	expected := {"decision": true, "code": "permitted", "rule": "granted_by_binding", "binding": "bind_1"}
	asking({"bindings": [reader]}) == expected
}

test_deny_without_grant if {
	asking({}) == {"decision": false, "code": "not_permitted", "rule": "no_grant"}
}

test_deny_another_action if asking({"bindings": [reader], "action": {"name": "write"}}).code == "not_permitted"

test_deny_another_type if {
	asking({"bindings": [reader], "resource": {"type": "invoice"}}).code == "not_permitted"
}

test_undefined_empty_input if {
	answer := authz.decision with input as {}
	answer == {"decision": false, "code": "unknown_subject", "rule": "subject_unknown"}
}

test_undefined_without_input if authz.decision.decision == false

test_undefined_action if {
	answer := authz.decision with input as object.remove(object.union(question, {"bindings": [reader]}), ["action"])
	answer.code == "not_permitted"
}

test_allow_names_the_lowest_binding if {
	asking({"bindings": [object.union(reader, {"id": "bind_9"}), reader]}).binding == "bind_1"
}

# subject and organization

test_deny_unknown_subject if {
	asking({"subject": {"known": false}, "bindings": [reader]}).code == "unknown_subject"
}

test_undefined_known if asking({"subject": {"known": null}, "bindings": [reader]}).code == "unknown_subject"

test_deny_disabled_subject if {
	asking({"subject": {"status": "disabled"}, "bindings": [reader]}).code == "subject_disabled"
}

test_undefined_subject_status if {
	asking({"subject": {"status": null}, "bindings": [reader]}).code == "subject_disabled"
}

test_deny_suspended_organization if {
	suspended := {"organization": {"status": "suspended"}, "subject": {"status": "disabled"}, "bindings": [reader]}
	asking(suspended).code == "organization_suspended"
}

test_undefined_organization_status if {
	asking({"organization": {"status": null}, "bindings": [reader]}).code == "organization_suspended"
}

# explicit deny

test_deny_beats_every_grant if {
	denial := object.union(reader, {"id": "bind_0", "role": "no-documents", "effect": "deny"})
	asking({"bindings": [reader, denial], "context": mfa}) == {
		"decision": false,
		"code": "forbidden",
		"rule": "denied_by_binding",
		"binding": "bind_0",
	}
}

test_allow_past_a_lapsed_denial if {
	denial := object.union(reader, {"id": "bind_0", "effect": "deny", "expires_at": 1000})
	asking({"bindings": [reader, denial]}).code == "permitted"
}

test_deny_with_an_unreadable_expiry if {
	denial := object.union(reader, {"id": "bind_0", "effect": "deny", "expires_at": "yesterday"})
	asking({"bindings": [reader, denial]}).code == "forbidden"
}

test_undefined_effect_grants_nothing if {
	asking({"bindings": [object.union(reader, {"effect": "perhaps"})]}).code == "not_permitted"
}

# step-up

test_allow_owner_with_mfa if asking({"bindings": [holding("OrgOwner")], "context": mfa}).code == "permitted"

test_allow_owner_with_mfa_class if {
	by_class := {"authentication": {"acr": data.platform.mfa.levels.multi_factor.acr[0]}}
	asking({"bindings": [holding("OrgOwner")], "context": by_class}).code == "permitted"
}

test_deny_owner_without_mfa if {
	asking({"bindings": [holding("OrgOwner")], "context": {"authentication": {"amr": ["pwd"]}}}) == {
		"decision": false,
		"code": "step_up_required",
		"rule": "granted_after_step_up",
		"binding": "bind_1",
		"obligations": [{
			"id": "step-up-mfa",
			"type": "step-up",
			"acr_value": "https://refeds.org/profile/mfa",
			"amr_values": ["mfa"],
		}],
	}
}

test_undefined_authentication_is_not_mfa if {
	asking({"bindings": [holding("OrgOwner")]}).code == "step_up_required"
}

test_allow_without_step_up_by_another_role if {
	asking({"bindings": [holding("OrgOwner"), object.union(reader, {"id": "bind_2"})]}).binding == "bind_2"
}

# roles

test_deny_custom_role_named_like_a_built_in if {
	asking({"bindings": [object.union(reader, {"role": "Member"})]}).code == "not_permitted"
}

test_undefined_permissions if {
	asking({"bindings": [object.remove(reader, ["permissions"])]}).code == "not_permitted"
}

test_allow_every_built_in_role_what_it_lists if {
	every name, role in object.remove(data.roles, ["PlatformOperator"]) {
		every permission in role.permissions {
			[type, action] := split(permission, ":")
			answer := asking({
				"bindings": [holding(name)],
				"action": {"name": action},
				"resource": {"type": type, "id": tenant},
				"context": mfa,
			})
			answer.decision
		}
	}
}

# reach

test_allow_own_organization if {
	asking({"bindings": [holding("Member")], "resource": {"type": "organization", "id": tenant}}).decision
}

test_deny_another_organization if {
	asking({"bindings": [holding("OrgAdmin")], "resource": {"type": "organization", "id": other}}).code == "not_permitted"
}

test_deny_a_resource_of_another_organization if {
	asking({"bindings": [reader], "resource": {"properties": {"organization": other}}}).code == "not_permitted"
}

test_deny_reserved_permission_even_to_the_owner if {
	every permission in ["organization:create", "organization:list", "signing_key:rotate", "data_key:rotate"] {
		[type, action] := split(permission, ":")
		answer := asking({
			"bindings": [holding("OrgOwner"), object.union(reader, {"permissions": [permission, "*:*"]})],
			"action": {"name": action},
			"resource": {"type": type, "id": tenant},
			"context": mfa,
		})
		answer.code == "not_permitted"
	}
}

test_allow_operator_everywhere_from_the_platform if {
	every permission in ["organization:create", "organization:read", "api_key:revoke", "signing_key:rotate", "data_key:rotate"] {
		[type, action] := split(permission, ":")
		answer := asking(object.union(at_platform, {
			"bindings": [operator],
			"action": {"name": action},
			"resource": {"type": type, "id": other, "properties": {"organization": other}},
		}))
		answer.decision
	}
}

test_deny_operator_outside_the_platform if {
	asking({
		"bindings": [holding("PlatformOperator")],
		"resource": {"type": "organization", "id": tenant},
	}).code == "not_permitted"
}

test_deny_ordinary_role_of_the_platform_beyond_it if {
	admin := object.union(operator, {"role": "OrgAdmin"})
	beyond := {"bindings": [admin], "resource": {"type": "organization", "id": other}}
	asking(object.union(at_platform, beyond)).code == "not_permitted"
}

test_undefined_organization_id if {
	granted := object.union(question, {"bindings": [reader]})
	answer := authz.decision with input as json.remove(granted, ["organization/id"])
	answer.code == "not_permitted"
}

# conditions

conditional(conditions) := object.union(reader, {"conditions": conditions})

office := {"network": {"cidrs": ["10.0.0.0/8"]}}

at_office := {"network": {"ip": "10.1.2.3"}}

test_allow_when_every_condition_holds if {
	granted := conditional([office, {"time": {"not_after": 1000}}])
	asking({"bindings": [granted], "context": at_office}).code == "permitted"
}

test_deny_when_one_condition_fails if {
	granted := conditional([office, {"time": {"not_after": 999}}])
	asking({"bindings": [granted], "context": at_office}) == {
		"decision": false,
		"code": "not_permitted",
		"rule": "grant_conditions_unmet",
		"binding": "bind_1",
	}
}

test_undefined_condition_grants_nothing if {
	every conditions in [[{}], [{"weather": "fine"}], {}, "none", null, false, [null]] {
		asking({"bindings": [conditional(conditions)]}).rule == "grant_conditions_unmet"
	}
	asking({"bindings": [conditional([office])]}).rule == "grant_conditions_unmet"
}

test_allow_without_conditions if asking({"bindings": [conditional([])]}).code == "permitted"

test_deny_until_a_newer_authentication if {
	demanding := conditional([{"mfa": {"max_age_seconds": 300}}])
	old := {"authentication": {"amr": ["mfa"], "auth_time": 600}}
	asking({"bindings": [demanding], "context": old}) == {
		"decision": false,
		"code": "step_up_required",
		"rule": "granted_after_step_up",
		"binding": "bind_1",
		"obligations": [{
			"id": "step-up-mfa",
			"type": "step-up",
			"acr_value": "https://refeds.org/profile/mfa",
			"amr_values": ["mfa"],
			"max_age": 300,
		}],
	}
	new := {"authentication": {"amr": ["mfa"], "auth_time": 700}}
	asking({"bindings": [demanding], "context": new}).decision
}

test_deny_with_an_obligation_for_each_demand if {
	owner := object.union(holding("OrgOwner"), {"conditions": [{"mfa": {"acr": "urn:gold"}}]})
	answer := asking({"bindings": [owner]})
	[obligation.acr_value | some obligation in answer.obligations] == ["urn:gold", "https://refeds.org/profile/mfa"]
}

# A step-up is promised only where it would help.
test_deny_without_step_up_where_another_condition_fails if {
	asking({"bindings": [conditional([{"mfa": {}}, office])]}).code == "not_permitted"
}

test_allow_past_a_denial_whose_condition_surely_fails if {
	denial := object.union(conditional([office]), {"id": "bind_0", "effect": "deny"})
	outside := {"network": {"ip": "11.1.2.3"}}
	asking({"bindings": [reader, denial], "context": outside}).code == "permitted"
	asking({"bindings": [reader, denial], "context": at_office}).code == "forbidden"
}

# Threat: a caller that leaves out what a denial looks at.
test_undefined_condition_of_a_denial_denies if {
	every conditions in [[office], [{}], "none", [{"mfa": {}}]] {
		denial := object.union(conditional(conditions), {"id": "bind_0", "effect": "deny"})
		asking({"bindings": [reader, denial]}).code == "forbidden"
	}
}

# API keys

test_deny_an_expired_key if {
	every subject in [{"expires_at": 1000}, {"expires_at": "2099"}, {"expires_at": null}] {
		asking({"subject": subject, "bindings": [reader]}).code == "subject_disabled"
	}
}

test_allow_a_key_until_it_expires if asking({"subject": {"expires_at": 1001}, "bindings": [reader]}).decision

# scopes of a credential

scoped(scopes) := {"scopes": scopes}

test_allow_within_scopes if {
	every scopes in [["document:read"], ["invoice:*", "document:*"], ["*:*"]] {
		asking({"subject": scoped(scopes), "bindings": [reader]}).code == "permitted"
	}
}

test_deny_outside_scopes_with_the_binding_that_would_have_granted if {
	expected := {"decision": false, "code": "not_permitted", "rule": "outside_credential_scope", "binding": "bind_1"}
	every scopes in [[], ["document:write"], ["invoice:*"]] {
		asking({"subject": scoped(scopes), "bindings": [object.union(reader, {"id": "bind_9"}), reader]}) == expected
	}
}

test_undefined_scopes_open_nothing if {
	every scopes in [null, false, "*:*", {"all": "*:*"}, [null], ["*"], ["*:read"]] {
		asking({"subject": scoped(scopes), "bindings": [reader]}).rule == "outside_credential_scope"
	}
}

# Threat: a key that is issued for more than its owner may do.
test_deny_what_only_the_scopes_name if asking({"subject": scoped(["*:*"])}).rule == "no_grant"

test_deny_without_a_grant_says_so_first if asking({"subject": scoped([])}).rule == "no_grant"

test_deny_explicitly_before_scopes if {
	denial := object.union(reader, {"id": "bind_0", "effect": "deny"})
	asking({"subject": scoped([]), "bindings": [reader, denial]}).code == "forbidden"
	asking({"subject": scoped(["*:*"]), "bindings": [reader, denial]}).code == "forbidden"
}

test_deny_the_unknown_before_scopes if {
	asking({"subject": {"known": false, "scopes": []}, "bindings": [reader]}).code == "unknown_subject"
	asking({"subject": {"status": "disabled", "scopes": []}, "bindings": [reader]}).code == "subject_disabled"
}

test_deny_without_step_up_outside_scopes if {
	owner := {"bindings": [holding("OrgOwner")]}
	answer := asking(object.union(owner, {"subject": scoped(["invoice:read"])}))
	answer == {"decision": false, "code": "not_permitted", "rule": "outside_credential_scope", "binding": "bind_1"}
	asking(object.union(owner, {"subject": scoped(["document:read"])})).code == "step_up_required"
}

test_deny_outside_scopes_before_conditions if {
	granted := {"bindings": [conditional([office])]}
	asking(object.union(granted, {"subject": scoped([])})).rule == "outside_credential_scope"
	asking(object.union(granted, {"subject": scoped(["*:*"])})).rule == "grant_conditions_unmet"
}

test_deny_names_the_binding_that_would_have_decided if {
	later := object.union(reader, {"id": "bind_2"})
	bindings := [holding("OrgOwner"), conditional([office]), later]
	asking({"subject": scoped([]), "bindings": bindings}).binding == "bind_2"
}
