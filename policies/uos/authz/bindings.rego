package uos.authz

import data.lib.expiry
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
# title: Unmet demand for MFA
# description: The role acts only with a second factor, and none was shown. A machine cannot show one.
# custom:
#   code: step_up_required
demands_unmet_mfa(binding) if {
	data.roles[binding.role].mfa
	not mfa_performed
}

# METADATA
# title: MFA performed
# description: The authentication method references hold "mfa" (RFC 8176 section 2), or the context class says so.
# custom:
#   code: permitted
mfa_performed if data.platform.mfa.amr in input.context.authentication.amr

mfa_performed if input.context.authentication.acr == data.platform.mfa.acr
