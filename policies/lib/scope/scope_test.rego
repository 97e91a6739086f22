package lib.scope_test

import data.lib.scope

organization := {"id": "org_1"}

document := {"type": "document", "id": "42", "properties": {"team": "team_b"}}

test_allow_whole_organization if scope.covers({"type": "organization", "id": "org_1"}, organization, document)

test_deny_another_organization if not scope.covers({"type": "organization", "id": "org_2"}, organization, document)

test_allow_the_very_team if {
	scope.covers({"type": "team", "id": "team_b", "descendants": []}, organization, document)
}

test_allow_a_team_below if {
	scope.covers({"type": "team", "id": "team_a", "descendants": ["team_b"]}, organization, document)
}

test_deny_a_team_above if {
	not scope.covers({"type": "team", "id": "team_c", "descendants": ["team_d"]}, organization, document)
}

test_allow_the_team_itself if {
	team := {"type": "team", "id": "team_b", "properties": {"team": "team_z"}}
	scope.covers({"type": "team", "id": "team_b", "descendants": []}, organization, team)
	not scope.covers({"type": "team", "id": "team_z", "descendants": []}, organization, team)
}

test_undefined_team if {
	without_team := {"type": "document", "id": "42", "properties": {}}
	not scope.covers({"type": "team", "id": "team_b", "descendants": []}, organization, without_team)
}

test_allow_one_resource if scope.covers({"type": "resource", "id": "document:42"}, organization, document)

test_deny_another_resource if not scope.covers({"type": "resource", "id": "document:43"}, organization, document)

test_deny_ambiguous_resource_type if {
	ambiguous := {"type": "document:42", "id": "x", "properties": {}}
	not scope.covers({"type": "resource", "id": "document:42:x"}, organization, ambiguous)
}

test_undefined_scope if {
	not scope.covers({}, organization, document)
	not scope.covers({"type": "organization"}, {}, document)
	not scope.covers({"type": "planet", "id": "org_1"}, organization, document)
}
