package lib.mfa_test

import data.lib.mfa

profile := "https://refeds.org/profile/mfa"

asking(authentication) := {"now": 10000, "context": {"authentication": authentication}}

test_allow_by_reference_or_class if {
	mfa.met({}, asking({"amr": ["pwd", "mfa"]}))
	mfa.met({}, asking({"acr": profile}))
	mfa.met({"level": "phishing_resistant"}, asking({"acr": "phrh"}))
	mfa.met({"acr": "urn:gold"}, asking({"acr": "urn:gold"}))
}

test_allow_up_to_the_age if {
	mfa.met({"max_age_seconds": 300}, asking({"amr": ["mfa"], "auth_time": 9700}))
	mfa.met({"max_age_seconds": 0}, asking({"amr": ["mfa"], "auth_time": 10000}))
}

test_allow_a_clock_a_little_ahead if mfa.met({"max_age_seconds": 300}, asking({"amr": ["mfa"], "auth_time": 10060}))

test_deny_another_level_or_class if {
	every demand in [{"level": "phishing_resistant"}, {"acr": "urn:gold"}] {
		not mfa.met(demand, asking({"amr": ["mfa"], "acr": profile}))
		mfa.unmet(demand, asking({"amr": ["mfa"], "acr": profile}))
	}
	mfa.unmet({}, asking({"amr": ["pwd"]}))
	mfa.unmet({}, asking({"acr": "0"}))
}

test_deny_one_second_too_old if {
	demand := {"max_age_seconds": 300}
	not mfa.met(demand, asking({"amr": ["mfa"], "auth_time": 9699}))
	mfa.unmet(demand, asking({"amr": ["mfa"], "auth_time": 9699}))
}

# Threat: an instant far ahead would count as recent for ever.
test_deny_authentication_in_the_future if {
	not mfa.met({"max_age_seconds": 300}, asking({"amr": ["mfa"], "auth_time": 10061}))
}

test_undefined_is_neither_met_nor_unmet if {
	every case in [
		[{}, asking({})],
		[{}, {"now": 10000, "context": {}}],
		[{"acr": "urn:gold"}, asking({"amr": ["mfa"]})],
		[{"acr": 7}, asking({"acr": 7})],
		[{"level": "platinum"}, asking({"amr": ["mfa"], "acr": profile})],
		[{"levle": "phishing_resistant"}, asking({"amr": ["mfa"]})],
		[{"max_age_seconds": 300}, asking({"amr": ["mfa"]})],
		[{"max_age_seconds": 300}, asking({"amr": ["mfa"], "auth_time": "9900"})],
		[{"max_age_seconds": "300"}, asking({"amr": ["mfa"], "auth_time": 9900})],
		["multi_factor", asking({"amr": ["mfa"]})],
	] {
		not mfa.met(case[0], case[1])
		not mfa.unmet(case[0], case[1])
	}
}

test_allow_obligations_that_say_what_is_needed if {
	mfa.obligation({}) == {"id": "step-up-mfa", "type": "step-up", "acr_value": profile, "amr_values": ["mfa"]}
	mfa.obligation({"acr": "urn:gold", "max_age_seconds": 60}) == {
		"id": "step-up-mfa",
		"type": "step-up",
		"acr_value": "urn:gold",
		"max_age": 60,
	}
	mfa.obligation({"level": "phishing_resistant"}) == {"id": "step-up-mfa", "type": "step-up", "acr_value": "phr"}
}
