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
# description: |
#   One of the patterns asked for is among the permissions. This way round there are four look-ups whatever the
#   role lists; the other way round costs a third more time.
# custom:
#   code: permission_covers
covers(permissions, requested) if {
	some pattern in requested
	pattern in permissions
}
