# METADATA
# title: Scopes
# description: Where a binding holds, which is a whole organization, a team with the teams below it, or one resource.
package lib.scope

# METADATA
# title: Covers
# description: The resource lies within the scope. A scope of another organization covers nothing.
# custom:
#   code: scope_covers
covers(scope, organization, _) if {
	scope.type == "organization"
	scope.id == organization.id
}

covers(scope, _, resource) if {
	scope.type == "team"
	team(resource) == scope.id
}

covers(scope, _, resource) if {
	scope.type == "team"
	team(resource) in scope.descendants
}

# A type with a colon could be read in two ways ("a:b" + "c", "a" + "b:c"), so it cannot be scoped to.
covers(scope, _, resource) if {
	scope.type == "resource"
	not contains(resource.type, ":")
	scope.id == concat(":", [resource.type, resource.id])
}

# METADATA
# title: Team of a resource
# description: A team is its own; anything else says in its properties to which team it belongs.
# custom:
#   code: scope_team
team(resource) := resource.id if resource.type == "team"

team(resource) := resource.properties.team if resource.type != "team"
