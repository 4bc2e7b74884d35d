/* Group data type; see checks.h. All speak of columns, not of casts in views and queries. */
POL_CHECK(PREFER_TEXT, "prefer-text", "data type", ALLOW, NOTE, NOTE, STANDARD, STATIC,
    pol_check_prefer_text, "except", "varchar(n) where text would do.")
POL_CHECK(BAN_CHAR, "ban-char", "data type", NOTE, WARN, WARN, STANDARD, STATIC,
    pol_check_ban_char, "except", "char(n), which pads with blanks.")
POL_CHECK(PREFER_TIMESTAMPTZ, "prefer-timestamptz", "data type", WARN, WARN, REJECT, STANDARD,
    STATIC, pol_check_prefer_timestamptz, "except", "timestamp without a time zone.")
POL_CHECK(PREFER_BIGINT, "prefer-bigint-key", "data type", NOTE, WARN, REJECT, STANDARD,
    STATIC, pol_check_prefer_bigint, "except",
    "A key column of type integer or smaller, which runs out of numbers.")
POL_CHECK(PREFER_IDENTITY, "prefer-identity", "data type", NOTE, NOTE, WARN, STANDARD, STATIC,
    pol_check_prefer_identity, "except", "serial where an identity column would do.")
POL_CHECK(PREFER_JSONB, "prefer-jsonb", "data type", NOTE, WARN, WARN, STANDARD, STATIC,
    pol_check_prefer_jsonb, "except", "json, which has no equality operator.")
POL_CHECK(BAN_MONEY, "ban-money", "data type", NOTE, WARN, WARN, STANDARD, STATIC,
    pol_check_ban_money, "except", "money, which depends on a setting of the server.")
POL_CHECK(NUMERIC, "numeric-without-precision", "data type", ALLOW, NOTE, NOTE, STANDARD,
    STATIC, pol_check_numeric, "except; names=*amount*, *price*, *total*, *cost*",
    "An amount (by its name) without precision, or as a floating point number.")
POL_CHECK(TYPE_LIST, "type-disallow-list", "data type", ALLOW, WARN, REJECT, STANDARD, STATIC,
    pol_check_type_list, "except; types", "A type that the policy forbids (old or old=new).")
POL_CHECK(CHAR_LENGTH, "char-length-limit", "data type", ALLOW, NOTE, WARN, STANDARD, STATIC,
    pol_check_char_length, "except; max=255", "char(n) or varchar(n) longer than `max`.")
POL_CHECK(ENUM_ORDER, "enum-value-order", "data type", ALLOW, NOTE, NOTE, STANDARD, STATIC,
    pol_check_enum_order, "except", "A new enum value without BEFORE or AFTER.")
POL_CHECK(PREFER_LOOKUP, "prefer-lookup-over-enum", "data type", ALLOW, ALLOW, NOTE, STANDARD,
    STATIC, pol_check_prefer_lookup, "except", "An enum, whose values can't be removed.")
POL_CHECK(COLLATION_LIST, "encoding-and-collation-list", "data type", ALLOW, WARN, REJECT,
    STANDARD, STATIC, pol_check_collation_list,
    "except; names=default, C, POSIX, ucs_basic, UTF8, C.UTF-8, en_US.UTF-8, icu, *-x-icu",
    "A collation or encoding that the policy doesn't list.")
