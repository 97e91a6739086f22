# METADATA
# title: Permissions
# description: A permission is `<resource type>:<action>`; either segment may be `*`.
package lib.permission

# METADATA
# title: Patterns
# description: The four permissions, from exact to everything, that grant an action on a resource type.
# custom:
#   code: permission_patterns
patterns(type, action) := {
	concat(":", [type, action]),
	concat(":", [type, "*"]),
	concat(":", ["*", action]),
	"*:*",
}

# METADATA
# title: Covers
# description: One of the permissions is among the patterns asked for.
# custom:
#   code: permission_covers
covers(permissions, requested) if {
	some permission in permissions
	permission in requested
}
