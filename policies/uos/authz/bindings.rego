package uos.authz

import data.lib.condition
import data.lib.expiry
import data.lib.mfa
import data.lib.permission
import data.lib.scope

# METADATA
# title: Live grants
# description: Matching allow bindings that have not expired and reach the resource.
# custom:
#   code: permitted
grants := [binding |
	some binding in matching
	binding.effect == "allow"
	expiry.live(binding, input.now)
	within_reach(binding)
]

# METADATA
# title: Matching bindings
# description: Bindings, of either effect, whose role names the action and whose scope holds the resource.
# custom:
#   code: permitted
matching := [binding |
	some binding in input.bindings
	permission.covers(permissions(binding), requested)
	scope.covers(binding.scope, input.organization, input.resource)
]

# METADATA
# title: Requested permission
# description: Every pattern that would grant what is asked.
# custom:
#   code: permitted
requested := permission.patterns(input.resource.type, input.action.name)

# METADATA
# title: Permissions of a binding
# description: |
#   A built-in role means what the bundle says, whatever permissions the facts carry: a custom role cannot
#   redefine one by taking its name.
# custom:
#   code: permitted
permissions(binding) := data.roles[binding.role].permissions

permissions(binding) := binding.permissions if not data.roles[binding.role]

# METADATA
# title: Within reach
# description: |
#   A tenant's role reaches that tenant's resources and no permission reserved to the platform. A platform role
#   reaches everything, but only in the platform's own organization.
# custom:
#   code: not_permitted
within_reach(binding) if {
	data.roles[binding.role].platform
	input.organization.id == data.platform.organization
}

within_reach(binding) if {
	not data.roles[binding.role].platform
	not beyond_tenant
}

# METADATA
# title: Beyond the tenant
# description: The question is about another organization, or about the platform itself.
# custom:
#   code: not_permitted
beyond_tenant if permission.covers(data.platform.permissions, requested)

beyond_tenant if {
	input.resource.type == "organization"
	input.resource.id != input.organization.id
}

beyond_tenant if input.resource.properties.organization != input.organization.id

# METADATA
# title: Conditions hold
# description: |
#   Every condition of the binding but those of MFA is surely met. Those wait for a step-up, which is a different
#   answer.
# custom:
#   code: permitted
conditions_hold(binding) if expiry.lacks(binding, "conditions")

conditions_hold(binding) if {
	is_array(binding.conditions)
	every one in binding.conditions {
		condition_holds(one)
	}
}

# METADATA
# title: Condition holds
# description: It is one of MFA, or surely met.
# custom:
#   code: permitted
condition_holds(one) if object.keys(one) == {"mfa"}

condition_holds(one) if condition.met(one, input)

# METADATA
# title: Suspended by a condition
# description: A condition of the binding surely does not hold.
# custom:
#   code: not_permitted
suspended(binding) if {
	some one in binding.conditions
	condition.unmet(one, input)
}

# METADATA
# title: Demanding
# description: |
#   The role or a condition demands MFA that was not shown: `unmet_demands` has one. Most bindings demand none, and sets
#   made to find that out cost more than all else about them.
# custom:
#   code: step_up_required
demanding(binding) if {
	data.roles[binding.role].mfa
	not mfa.met({"level": "multi_factor"}, input)
}

demanding(binding) if {
	some one in binding.conditions
	demand := one.mfa
	not mfa.met(demand, input)
}

# METADATA
# title: Unmet demands for MFA
# description: |
#   What the role or a condition demands that was not shown. A machine cannot show any.
# custom:
#   code: step_up_required
unmet_demands(binding) := {demand |
	some demand in (role_demands(binding) | {one.mfa | some one in binding.conditions})
	not mfa.met(demand, input)
}

# METADATA
# title: Demands of a role
# description: Some built-in roles act only with a second factor.
# custom:
#   code: step_up_required
role_demands(binding) := {{"level": "multi_factor"} | data.roles[binding.role].mfa}
