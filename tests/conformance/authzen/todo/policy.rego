# METADATA
# title: The todo scenario
# description: |
#   Subjects are opaque ids that only this bundle's data knows; a todo says who owns it by e-mail address.
package uos.authz

default decision := {"decision": false, "code": "not_permitted"}

decision := {"decision": true, "code": "permitted", "rule": input.action.name} if permitted

permitted if {
	user
	input.action.name in ["can_read_user", "can_read_todos"]
}

permitted if {
	input.action.name == "can_create_todo"
	some role in ["admin", "editor"]
	role in user.roles
}

permitted if {
	input.action.name == "can_update_todo"
	"evil_genius" in user.roles
}

permitted if {
	input.action.name == "can_delete_todo"
	"admin" in user.roles
}

permitted if {
	input.action.name in ["can_update_todo", "can_delete_todo"]
	"editor" in user.roles
	input.resource.properties.ownerID == user.email
}

user := data.users[input.subject.id] if input.subject.type == "user"
