# METADATA
# title: The search and identity provider scenarios
# description: Owners view, edit and delete; a department views its own; managers view all and edit in their department.
package uos.authz

default decision := {"decision": false, "code": "not_permitted"}

decision := {"decision": true, "code": "permitted", "rule": input.action.name} if permitted

permitted if {
	input.action.name in ["view", "edit", "delete"]
	record.owner == input.subject.id
	user
}

permitted if {
	input.action.name == "view"
	record.department == user.department
}

permitted if {
	input.action.name == "view"
	user.role == "manager"
	record
}

permitted if {
	input.action.name == "edit"
	user.role == "manager"
	record.department == user.department
}

user := data.users[input.subject.id] if input.subject.type == "user"

record := data.records[input.resource.id] if input.resource.type == "record"

default candidates := []

candidates := [id | some id, _ in data.users] if {
	input.search == "subject"
	input.subject.type == "user"
}

candidates := [id | some id, _ in data.records] if {
	input.search == "resource"
	input.resource.type == "record"
}

candidates := ["view", "edit", "delete"] if {
	input.search == "action"
	input.resource.type == "record"
}
