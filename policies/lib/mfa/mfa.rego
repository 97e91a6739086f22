# METADATA
# title: Multi-factor authentication
# description: |
#   What a demand for stronger authentication asks, and whether it was shown. A demand is
#   `{"level"?, "acr"?, "max_age_seconds"?}`: a named level (multi_factor when none is), or one context class, and how
#   long ago the subject may have authenticated.
package lib.mfa

# METADATA
# title: Met
# description: The subject showed what is demanded, and recently enough.
# custom:
#   code: mfa_met
met(demand, asked) if {
	count(object.keys(demand) - {"level", "acr", "max_age_seconds"}) == 0
	shown(demand, asked.context.authentication)
	recent(demand, asked)
}

# METADATA
# title: Unmet
# description: |
#   The subject surely did not show it. Where the request does not say how the subject authenticated, nothing is sure.
# custom:
#   code: mfa_unmet
unmet(demand, asked) if {
	stated(demand, asked.context.authentication)
	not shown(demand, asked.context.authentication)
}

unmet(demand, asked) if {
	is_number(demand.max_age_seconds)
	age(asked) > demand.max_age_seconds
}

# METADATA
# title: Shown
# description: |
#   By an authentication method reference (RFC 8176 section 2) or an authentication context class of the level, or by
#   the very class that the demand names.
# custom:
#   code: mfa_shown
shown(demand, authentication) if {
	not "acr" in object.keys(demand)
	some reference in level(demand).amr
	reference in authentication.amr
}

shown(demand, authentication) if {
	not "acr" in object.keys(demand)
	authentication.acr in level(demand).acr
}

shown(demand, authentication) if {
	is_string(demand.acr)
	authentication.acr == demand.acr
}

# METADATA
# title: Recent
# description: |
#   No age is demanded, or the subject authenticated no longer ago. An instant ahead of us, beyond what clocks differ
#   by, is not believed: it would be recent for ever.
# custom:
#   code: mfa_recent
recent(demand, _) if not "max_age_seconds" in object.keys(demand)

recent(demand, asked) if {
	is_number(demand.max_age_seconds)
	age(asked) <= demand.max_age_seconds
	age(asked) >= 0 - data.platform.mfa.skew_seconds
}

# METADATA
# title: Obligation
# description: |
#   What a caller must do to meet a demand, in the form of the AuthZEN obligations profile, type step-up; `max_age` is
#   that of RFC 9470 section 3.
# custom:
#   code: step_up_required
#   message: Authenticate again as demanded.
obligation(demand) := object.union_n([{"id": "step-up-mfa", "type": "step-up"}, class(demand), max_age(demand)])

# METADATA
# title: Class
# description: The context class and method references that meet a demand.
# custom:
#   code: step_up_required
class(demand) := {"acr_value": demand.acr} if "acr" in object.keys(demand)

class(demand) := object.union({"acr_value": level(demand).acr[0]}, references) if {
	not "acr" in object.keys(demand)
	references := {"amr_values": level(demand).amr | count(level(demand).amr) > 0}
}

# METADATA
# title: Maximum age
# description: The age that is demanded, if one is.
# custom:
#   code: step_up_required
max_age(demand) := {"max_age": demand.max_age_seconds | demand.max_age_seconds}

# METADATA
# title: Level
# description: What shows the level that a demand names.
# custom:
#   code: mfa_level
level(demand) := data.platform.mfa.levels[object.get(demand, "level", "multi_factor")]

# METADATA
# title: Stated
# description: The request says how the subject authenticated, in the terms of a readable demand.
# custom:
#   code: mfa_stated
stated(demand, authentication) if {
	is_string(demand.acr)
	is_string(authentication.acr)
}

stated(demand, authentication) if {
	not "acr" in object.keys(demand)
	level(demand)
	is_array(authentication.amr)
}

stated(demand, authentication) if {
	not "acr" in object.keys(demand)
	level(demand)
	is_string(authentication.acr)
}

# METADATA
# title: Age
# description: Seconds since the subject authenticated.
# custom:
#   code: mfa_age
age(asked) := asked.now - asked.context.authentication.auth_time
