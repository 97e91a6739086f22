# METADATA
# title: Todo lists
# description: |
#   Rules of an application with users and roles of its own: nothing of it is known to the service but this bundle.
#   After the Todo scenario of the AuthZEN interoperability tests.
package uos.authz

# METADATA
# title: Decision
# description: The entrypoint of every bundle. Refuses whatever no rule permits, an empty question too.
# entrypoint: true
# custom:
#   code: not_permitted
#   message: No role of this person permits the action.
default decision := {"decision": false, "code": "not_permitted", "rule": "no_role"}

decision := {"decision": false, "code": "unknown_subject", "rule": "person_unknown"} if {
	not data.people[input.subject.id]
} else := {"decision": true, "code": "permitted", "rule": "any_list"} if {
	some role in data.people[input.subject.id].roles
	input.action.name in data.permissions[role].any
} else := {"decision": true, "code": "permitted", "rule": "own_list"} if {
	some role in data.people[input.subject.id].roles
	input.action.name in data.permissions[role].own
	input.resource.properties.owner == input.subject.id
}
