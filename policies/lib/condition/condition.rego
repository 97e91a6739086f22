# METADATA
# title: Conditions
# description: |
#   A condition of a binding is an object of one member, which names its kind: `mfa`, `network`, `time` or `resource`.
#   What cannot be judged, because the request does not say or nobody can read the condition, is neither met nor
#   unmet: it then opens nothing and ends no denial.
package lib.condition

import data.lib.mfa
import data.lib.network
import data.lib.time_window

# METADATA
# title: Met
# description: The condition surely holds for the question asked.
# custom:
#   code: condition_met
met(condition, asked) if {
	count(condition) == 1
	mfa.met(condition.mfa, asked)
}

met(condition, asked) if {
	count(condition) == 1
	network.met(condition.network, asked)
}

met(condition, asked) if {
	count(condition) == 1
	time_window.met(condition.time, asked.now)
}

met(condition, asked) if {
	count(condition) == 1
	object.keys(condition.resource) == {"attribute", "equals"}
	attribute(condition.resource, asked) == wanted(condition.resource, asked.subject)
}

# METADATA
# title: Unmet
# description: The condition surely does not hold.
# custom:
#   code: condition_unmet
unmet(condition, asked) if mfa.unmet(condition.mfa, asked)

unmet(condition, asked) if network.unmet(condition.network, asked)

unmet(condition, asked) if time_window.unmet(condition.time, asked.now)

unmet(condition, asked) if {
	attribute(condition.resource, asked) != wanted(condition.resource, asked.subject)
}

# METADATA
# title: Attribute
# description: What is known of the resource. A null is no value, so that nothing equals it.
# custom:
#   code: condition_attribute
attribute(rule, asked) := value if {
	value := asked.resource.properties[rule.attribute]
	value != null
}

# METADATA
# title: Wanted
# description: |
#   What the attribute must equal: a literal, or an attribute of the subject. Its id and type are facts (an API key's
#   are those of its service account); any other attribute is what the caller says of it.
# custom:
#   code: condition_wanted
wanted(rule, _) := rule.equals if not startswith(rule.equals, "subject.")

wanted(rule, subject) := value if {
	value := identity(subject)[trim_prefix(rule.equals, "subject.")]
}

wanted(rule, subject) := value if {
	startswith(rule.equals, "subject.")
	name := trim_prefix(rule.equals, "subject.")
	not name in ["id", "type"]
	value := subject.properties[name]
	value != null
}

# METADATA
# title: Identity
# description: Whose rights are asked about.
# custom:
#   code: condition_identity
identity(subject) := {"id": subject.acts_as.id, "type": subject.acts_as.type}

identity(subject) := {"id": subject.id, "type": subject.type} if not subject.acts_as
