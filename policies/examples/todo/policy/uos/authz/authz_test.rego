package uos.authz_test

import data.uos.authz

ask(person, action, owner) := {
	"subject": {"type": "identity", "id": person},
	"action": {"name": action},
	"resource": {"type": "todo", "id": "1", "properties": {"owner": owner}},
}

people := {
	"ann": {"roles": ["editor"]},
	"ben": {"roles": ["viewer"]},
}

permissions := {
	"viewer": {"any": ["read"], "own": []},
	"editor": {"any": ["read"], "own": ["update"]},
}

decide(question) := result if {
	result := authz.decision with input as question
		with data.people as people
		with data.permissions as permissions
}

test_allow_any_list if decide(ask("ben", "read", "ann")).rule == "any_list"

test_allow_own_list if decide(ask("ann", "update", "ann")).rule == "own_list"

test_deny_list_of_another if decide(ask("ann", "update", "ben")).code == "not_permitted"

test_deny_without_role if decide(ask("ben", "update", "ben")).code == "not_permitted"

test_deny_stranger if decide(ask("eve", "read", "ann")).code == "unknown_subject"

test_undefined_question_is_refused if decide({}).decision == false
