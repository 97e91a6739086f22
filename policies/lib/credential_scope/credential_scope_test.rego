package lib.credential_scope_test

import data.lib.credential_scope

test_allow_the_action_the_type_or_everything if {
	every scope in ["document:read", "document:*", "*:*"] {
		credential_scope.covers(["invoice:read", scope], "document", "read")
	}
}

test_deny_another_action_or_type if {
	every scope in ["document:write", "invoice:*", "doc:read", "Document:read", "document.draft:read"] {
		not credential_scope.covers([scope], "document", "read")
	}
}

test_deny_everything_for_no_scope if not credential_scope.covers([], "document", "read")

# Threat: scopes that someone wrote by hand, or that are of another tool.
test_undefined_scopes_cover_nothing if {
	every scope in ["*:read", "*", ":", "", "document", "document:", "read", "document:read:x", " document:read", "doc*:read"] {
		not credential_scope.covers([scope], "document", "read")
	}
	every scopes in [null, true, 1, "*:*", "document:read", {"a": "*:*"}, {"*:*"}, [["*:*"]], [null, 1, {}]] {
		not credential_scope.covers(scopes, "document", "read")
	}
}

test_undefined_question_is_covered_by_nothing if {
	not credential_scope.covers(["*:document"], null, "document")
	not credential_scope.covers(["document:*"], "document", {})
}

# Threat: a segment chosen so that both together spell a scope of something else.
test_deny_segments_with_a_colon if {
	not credential_scope.covers(["a:b:c", "a:*", "a:b"], "a", "b:c")
	not credential_scope.covers(["a:b:c", "a:b:*"], "a:b", "c")
	credential_scope.covers(["*:*"], "a:b", "c")
}

test_deny_asked_wildcard if {
	not credential_scope.covers(["document:read"], "document", "*")
	not credential_scope.covers(["*:read", "document:*"], "*", "read")
	not credential_scope.covers(["document:*"], "*", "*")
	credential_scope.covers(["document:*"], "document", "*")
	credential_scope.covers(["*:*"], "*", "read")
}
