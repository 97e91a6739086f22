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
live(binding, _) if not "expires_at" in object.keys(binding)

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
