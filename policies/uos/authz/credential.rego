package uos.authz

import data.lib.credential_scope

# METADATA
# title: Outside the credential's scopes
# description: |
#   A binding grants this, now or after a step-up or under its conditions, and the subject's credential was not issued for
#   it. No step-up is promised, since none would help. Without scopes, which is the rule, this costs one look-up.
# custom:
#   code: not_permitted
#   message: The credential was not issued for this action.
outside_credential_scope := granting if {
	_ = input.subject.scopes
	not credential_scope.covers(input.subject.scopes, input.resource.type, input.action.name)
}

# METADATA
# title: Granting binding
# description: The binding that would decide if the credential had no scopes.
# custom:
#   code: not_permitted
granting := min(granted_by_binding) if {
	count(granted_by_binding) > 0
} else := min(granted_after_step_up) if {
	count(granted_after_step_up) > 0
} else := min(grant_conditions_unmet)
