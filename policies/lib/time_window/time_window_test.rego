package lib.time_window_test

import data.lib.time_window

# Friday 2027-01-15, 08:00:00 UTC.
friday := 1800000000

minute := 60

day := 86400

weekdays := {"weekdays": [1, 2, 3, 4, 5], "from_minute": 480, "to_minute": 1080}

test_allow_calendar if {
	time_window.weekday(0) == 4
	time_window.weekday(friday) == 5
	time_window.weekday(friday + (2 * day)) == 7
	time_window.weekday(friday + (3 * day)) == 1
	time_window.minute(friday) == 480
	time_window.minute(friday + 59) == 480
}

test_allow_inside if {
	every now in [friday, (friday + (600 * minute)) - 1, friday + (3 * day)] {
		time_window.met(weekdays, now)
		not time_window.unmet(weekdays, now)
	}
	time_window.met({}, friday)
}

test_deny_outside if {
	every now in [friday - 1, friday + (600 * minute), friday + day] {
		not time_window.met(weekdays, now)
		time_window.unmet(weekdays, now)
	}
}

test_allow_past_midnight if {
	night := {"from_minute": 1320, "to_minute": 360}
	time_window.met(night, friday + ((22 - 8) * (60 * minute)))
	time_window.met(night, friday - (3 * (60 * minute)))
	not time_window.met(night, friday)
	time_window.unmet(night, friday)
}

test_allow_between_two_instants if {
	window := {"not_before": friday, "not_after": friday + 10}
	time_window.met(window, friday)
	time_window.met(window, friday + 10)
	not time_window.unmet(window, friday + 10)
}

test_deny_before_and_after if {
	window := {"not_before": friday, "not_after": friday + 10}
	every now in [friday - 1, friday + 11] {
		not time_window.met(window, now)
		time_window.unmet(window, now)
	}
}

test_undefined_is_neither_met_nor_unmet if {
	every window in [
		{"weekdays": "5"},
		{"from_minute": "08:00"},
		{"not_before": "2027-01-01T00:00:00Z"},
		{"not_after": "2099-01-01T00:00:00Z"},
		{"hours": [8, 18]},
		"always",
	] {
		not time_window.met(window, friday)
		not time_window.unmet(window, friday)
	}
	every now in ["1800000000", null] {
		not time_window.met(weekdays, now)
		not time_window.unmet(weekdays, now)
	}
}
