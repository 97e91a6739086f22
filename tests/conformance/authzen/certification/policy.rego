# METADATA
# title: The certification fixture
# description: |
#   Section c-1 of the AuthZEN certification scenario. What a request says of an entity goes over what is stored; an
#   admin writes what is archived and nothing else, so that bob, who is one, may still not write record-1.
package uos.authz

default decision := {"decision": false, "code": "not_permitted"}

decision := {"decision": true, "code": "permitted", "rule": "fixture"} if permitted

permitted if {
	known
	input.action.name == "read"
}

permitted if {
	known
	input.action.name == "write"
	status == "active"
	user.writer
}

permitted if {
	known
	input.action.name == "write"
	status == "archived"
	role == "admin"
}

permitted if {
	known
	input.action.name == "delete"
	input.action.properties.soft == true
	user.writer
}

known if {
	input.subject.type == "user"
	user
	input.resource.type == "record"
	record
}

user := data.users[input.subject.id]

record := data.records[input.resource.id]

role := object.get(input.subject, ["properties", "role"], user.role)

status := object.get(input.resource.properties, "status", record.status)

default candidates := []

candidates := [id | some id, _ in data.users] if {
	input.search == "subject"
	input.subject.type == "user"
}

candidates := [id | some id, _ in data.records] if {
	input.search == "resource"
	input.resource.type == "record"
}

candidates := ["read", "write", "delete"] if {
	input.search == "action"
	input.resource.type == "record"
}
