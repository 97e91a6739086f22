# METADATA
# title: Time windows
# description: |
#   When a binding counts: `{"weekdays"?, "from_minute"?, "to_minute"?, "not_before"?, "not_after"?}`, all in UTC.
#   Weekdays are those of ISO 8601 (Monday is 1), minutes count from midnight and the last is outside; a window whose
#   end is not after its beginning runs past midnight, each day being its own. Computed from the epoch, since the WASM
#   runtime has no calendar.
package lib.time_window

# METADATA
# title: Met
# description: Now lies in every part of the window.
# custom:
#   code: time_met
met(window, now) if {
	is_number(now)
	count(object.keys(window) - {"weekdays", "from_minute", "to_minute", "not_before", "not_after"}) == 0
	weekday(now) in object.get(window, "weekdays", [weekday(now)])
	within_day(window, minute(now))
	object.get(window, "not_before", now) <= now
	object.get(window, "not_after", now) >= now
	every name in ["not_before", "not_after"] {
		is_number(object.get(window, name, now))
	}
}

# METADATA
# title: Unmet
# description: Now surely lies outside a part that can be read.
# custom:
#   code: time_unmet
unmet(window, now) if {
	is_number(now)
	is_array(window.weekdays)
	not weekday(now) in window.weekdays
}

unmet(window, now) if {
	is_number(now)
	edges_readable(window)
	not within_day(window, minute(now))
}

unmet(window, now) if {
	is_number(now)
	is_number(window.not_before)
	now < window.not_before
}

unmet(window, now) if {
	is_number(now)
	is_number(window.not_after)
	now > window.not_after
}

# METADATA
# title: Within the day
# description: The minute lies between the edges, the missing ones being midnight.
# custom:
#   code: time_within_day
within_day(window, at) if {
	edges_readable(window)
	from(window) < to(window)
	at >= from(window)
	at < to(window)
}

within_day(window, at) if {
	edges_readable(window)
	from(window) >= to(window)
	at >= from(window)
}

within_day(window, at) if {
	edges_readable(window)
	from(window) >= to(window)
	at < to(window)
}

# METADATA
# title: Edges readable
# description: Both edges are numbers.
# custom:
#   code: time_edges
edges_readable(window) if {
	is_number(from(window))
	is_number(to(window))
}

# METADATA
# title: From
# description: The first minute of the window in a day.
# custom:
#   code: time_edges
from(window) := object.get(window, "from_minute", 0)

# METADATA
# title: To
# description: The first minute after the window in a day.
# custom:
#   code: time_edges
to(window) := object.get(window, "to_minute", 1440)

# METADATA
# title: Weekday
# description: Of an instant in seconds since the epoch, which began on a Thursday.
# custom:
#   code: time_weekday
weekday(now) := ((floor(now / 86400) + 3) % 7) + 1

# METADATA
# title: Minute
# description: Of the day, of an instant in seconds since the epoch.
# custom:
#   code: time_minute
minute(now) := floor(now / 60) % 1440
