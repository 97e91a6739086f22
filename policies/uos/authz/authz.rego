# METADATA
# title: Access decisions
# description: |
#   Answers one question: may this subject perform this action on this resource, now? Time and facts arrive in
#   the input (schemas/input.json); data holds only what is the same for every organization. Whatever is
#   missing or malformed refuses.
package uos.authz

import data.lib.expiry
import data.lib.mfa

# METADATA
# title: Decision
# description: |
#   The first refusal that applies wins, an explicit deny beats every grant, a credential opens nothing that it was
#   not issued for, and without a grant the answer is no. The binding named is the one with the lowest id among
#   those that decide, so that answers are repeatable.
# entrypoint: true
# custom:
#   code: not_permitted
#   message: No binding grants this action on this resource.
default decision := {"decision": false, "code": "not_permitted", "rule": "no_grant"}

decision := refusal("unknown_subject", "subject_unknown") if {
	subject_unknown
} else := refusal("organization_suspended", "organization_not_active") if {
	organization_not_active
} else := refusal("subject_disabled", "subject_not_active") if {
	subject_not_active
} else := object.union(refusal("forbidden", "denied_by_binding"), {"binding": min(denied_by_binding)}) if {
	count(denied_by_binding) > 0
} else := object.union(
	refusal("not_permitted", "outside_credential_scope"),
	{"binding": outside_credential_scope},
) if {
	outside_credential_scope
} else := {
	"decision": true,
	"code": "permitted",
	"rule": "granted_by_binding",
	"binding": min(granted_by_binding),
} if {
	count(granted_by_binding) > 0
} else := object.union(
	refusal("step_up_required", "granted_after_step_up"),
	{"binding": min(granted_after_step_up), "obligations": obligations(min(granted_after_step_up))},
) if {
	count(granted_after_step_up) > 0
} else := object.union(
	refusal("not_permitted", "grant_conditions_unmet"),
	{"binding": min(grant_conditions_unmet)},
) if {
	count(grant_conditions_unmet) > 0
}

# METADATA
# title: Subject unknown
# description: The organization has no such user or service account.
# custom:
#   code: unknown_subject
#   message: The subject is not known to this organization.
subject_unknown if not input.subject.known == true

# METADATA
# title: Organization not active
# description: Nobody acts in an organization that is suspended. The platform's operators act from their own.
# custom:
#   code: organization_suspended
#   message: The organization is suspended.
organization_not_active if not input.organization.status == "active"

# METADATA
# title: Subject not active
# description: |
#   The subject exists and has been disabled; or it is an API key that was revoked, has expired, or whose service
#   account is disabled.
# custom:
#   code: subject_disabled
#   message: The subject is disabled.
subject_not_active if not input.subject.status == "active"

subject_not_active if not expiry.live(input.subject, input.now)

# METADATA
# title: Denied by a binding
# description: |
#   An explicit deny. Reach and MFA do not weaken it, and an expiry that cannot be read does not end it. Nor does a
#   condition, unless it surely does not hold: one that cannot be judged leaves the denial in force.
# custom:
#   code: forbidden
#   message: A binding explicitly denies this action on this resource.
denied_by_binding contains binding.id if {
	some binding in matching
	binding.effect == "deny"
	not expiry.lapsed(binding, input.now)
	not suspended(binding)
}

# METADATA
# title: Granted by a binding
# description: A live grant whose conditions hold and whose demands the subject has met.
# custom:
#   code: permitted
#   message: A binding grants this action on this resource.
granted_by_binding contains binding.id if {
	some binding in grants
	conditions_hold(binding)
	not demanding(binding)
}

# METADATA
# title: Granted after step-up
# description: A live grant that waits only for stronger or newer authentication.
# custom:
#   code: step_up_required
#   message: This action needs multi-factor authentication.
granted_after_step_up contains binding.id if {
	some binding in grants
	conditions_hold(binding)
	demanding(binding)
}

# METADATA
# title: Conditions of a grant unmet
# description: A live grant of which a condition other than MFA does not hold, or cannot be judged.
# custom:
#   code: not_permitted
#   message: A binding would grant this under conditions that are not met.
grant_conditions_unmet contains binding.id if {
	some binding in grants
	not conditions_hold(binding)
}

# METADATA
# title: Step-up obligations
# description: One for each demand of the binding that is not met, in a repeatable order.
# custom:
#   code: step_up_required
#   message: Authenticate again as demanded.
obligations(id) := [mfa.obligation(demand) |
	some binding in grants
	binding.id == id
	some demand in unmet_demands(binding)
]

# METADATA
# title: Refusal
# description: A negative decision with its stable code and the rule that made it.
# custom:
#   code: not_permitted
refusal(code, rule) := {"decision": false, "code": code, "rule": rule}
