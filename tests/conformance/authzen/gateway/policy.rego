# METADATA
# title: The API gateway scenario
# description: The action is the HTTP method, the resource the template of the path.
package uos.authz

default decision := {"decision": false, "code": "not_permitted"}

decision := {"decision": true, "code": "permitted", "rule": "route"} if permitted

permitted if {
	roles
	input.action.name == "GET"
}

permitted if {
	input.action.name in ["POST", "PUT", "DELETE"]
	some role in ["admin", "editor", "evil_genius"]
	role in roles
}

roles := data.users[input.subject.id].roles if {
	input.subject.type == "identity"
	input.resource.type == "route"
}
