# METADATA
# title: Expiry
# description: |
#   Seconds since the epoch; absent means never. Rego orders values of different types (a string is above every
#   number), so an expiry that is not a number must neither prolong a grant nor end a denial.
package lib.expiry

# METADATA
# title: Live
# description: The binding has no expiry, or one that is surely ahead.
# custom:
#   code: expiry_live
live(binding, _) if lacks(binding, "expires_at")

live(binding, now) if {
	is_number(binding.expires_at)
	is_number(now)
	binding.expires_at > now
}

# METADATA
# title: Lapsed
# description: The binding has an expiry that is surely past.
# custom:
#   code: expiry_lapsed
lapsed(binding, now) if {
	is_number(binding.expires_at)
	is_number(now)
	binding.expires_at <= now
}

# METADATA
# title: Lacks
# description: |
#   The object has no such member, not even false or null. Looking for the name among `object.keys` would make a set of
#   them, for every binding of every question.
# custom:
#   code: expiry_lacks
lacks(thing, name) if {
	not thing[name]
	not thing[name] == false
}
