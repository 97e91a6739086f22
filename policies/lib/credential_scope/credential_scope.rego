# METADATA
# title: Scopes of a credential
# description: |
#   What a credential was issued for, a list of `<type>:<action>`, `<type>:*` or `*:*`. It narrows the rights of whoever
#   acts with it and gives none. Whatever has no such form, the list itself too, covers nothing.
package lib.credential_scope

# METADATA
# title: Covers
# description: One of the scopes names the action on the resource type.
# custom:
#   code: credential_scope_covers
covers(scopes, type, action) if {
	# In an object or a set, `in` would find members too.
	is_array(scopes)
	some name in names(type, action)
	name in scopes
}

# METADATA
# title: Names
# description: |
#   Every scope that would cover the action. A segment with a colon could be read in two ways ("a:b" + "c", "a" +
#   "b:c"), and whoever asks for the type "*" asks for everything: those only the scope of everything covers.
# custom:
#   code: credential_scope_names
names(type, action) := {concat(":", [type, action]), concat(":", [type, "*"]), "*:*"} if {
	type != "*"
	not contains(type, ":")
	not contains(action, ":")
} else := {"*:*"}
