package lib.expiry_test

import data.lib.expiry

test_allow_without_expiry if {
	expiry.live({}, 1000)
	not expiry.lapsed({}, 1000)
}

test_allow_until_the_second_before if {
	expiry.live({"expires_at": 1001}, 1000)
	not expiry.lapsed({"expires_at": 1001}, 1000)
}

test_deny_from_the_second_on if {
	not expiry.live({"expires_at": 1000}, 1000)
	expiry.lapsed({"expires_at": 1000}, 1000)
}

# Neither live nor lapsed: a grant stops, a denial stays.
test_undefined_when_unreadable if {
	every expires_at in ["2099-01-01T00:00:00Z", null, true, {}] {
		not expiry.live({"expires_at": expires_at}, 1000)
		not expiry.lapsed({"expires_at": expires_at}, 1000)
	}
	every now in ["1000", null] {
		not expiry.live({"expires_at": 2000}, now)
		not expiry.lapsed({"expires_at": 1}, now)
	}
}
