/* Settings of [ddlgate]: X-macro table, included with the macros one wants defined.
 * CFG_STRING(name, default, prose), CFG_PATH (relative to the file it stands in), CFG_BOOL,
 * CFG_INT(name, min, max, default, prose), CFG_SIZE (bytes; "64kB"), CFG_TIME (kept in ms;
 * a plain number is seconds). A NULL default means "not set". */
#ifndef CFG_STRING
#define CFG_STRING(name, def, prose)
#endif
#ifndef CFG_PATH
#define CFG_PATH(name, def, prose)
#endif
#ifndef CFG_BOOL
#define CFG_BOOL(name, def, prose)
#endif
#ifndef CFG_INT
#define CFG_INT(name, min, max, def, prose)
#endif
#ifndef CFG_SIZE
#define CFG_SIZE(name, min, max, def, prose)
#endif
#ifndef CFG_TIME
#define CFG_TIME(name, min, max, def, prose)
#endif

CFG_STRING(listen_addr, "127.0.0.1", "Addresses to listen on, comma separated; * is all.")
CFG_INT(listen_port, 0, 65535, 6432, "Port to listen on; 0 takes a free one and logs it.")
CFG_INT(listen_backlog, 1, 65535, 128, "Length of the kernel's accept queue.")
CFG_INT(workers, 0, 256, 0, "Worker threads; 0 is one per core.")
CFG_INT(max_client_conn, 1, 1000000, 1000, "Clients beyond this get FATAL 53300.")
CFG_STRING(auth_type, "passthrough", "passthrough: the server authenticates the client.")
CFG_PATH(policy, NULL, "Policy file for databases that name none. Required.")
CFG_PATH(audit_file, NULL, "Audit log, JSON lines. Required.")
CFG_BOOL(audit_durable, 1, "Intent records reach the disk before a statement is forwarded.")
CFG_SIZE(audit_rotate_size, 65536, 1099511627776, 1073741824, "A new audit file from this size on.")
CFG_TIME(audit_rotate_age, 0, 315360000000, 86400000, "A new audit file at this age; 0: never.")
CFG_SIZE(audit_max_text, 256, 16777216, 65536, "Longer statement texts are cut in the audit.")
CFG_BOOL(audit_sessions, 0, "Also audit start and end of every session.")
CFG_STRING(control, NULL, "The gate's own login (libpq string) for reading the migration history.")
CFG_TIME(control_timeout, 50, 60000, 2000, "Limit for reading the history of one transaction.")
CFG_TIME(control_idle_timeout, 0, 86400000, 60000, "Own connections close after this idle time.")
CFG_INT(max_depth, 100, 10000, 10000, "Deeper statements are not parsed but unparsable.")
CFG_SIZE(max_inspect_size, 4096, 268435456, 16777216, "Longer texts are not looked into; policy's `unparsable` decides.")
CFG_TIME(client_login_timeout, 100, 3600000, 10000, "Startup and authentication must end within this.")
CFG_TIME(server_connect_timeout, 100, 3600000, 15000, "Connecting to the server must end within this.")
CFG_BOOL(tcp_keepalive, 1, "Keepalive on both sides.")
CFG_TIME(tcp_keepidle, 0, 86400000, 60000, "Idle time before the first probe.")
CFG_TIME(tcp_keepintvl, 0, 86400000, 10000, "Time between probes.")
CFG_INT(tcp_keepcnt, 0, 127, 3, "Probes before a peer counts as gone.")
CFG_TIME(tcp_user_timeout, 0, 86400000, 60000, "Unacknowledged data for this long ends the connection; 0: off.")
CFG_TIME(shutdown_timeout, 0, 86400000, 30000, "After SIGTERM sessions may go on for this long.")
CFG_TIME(reload_interval, 0, 86400000, 1000, "A schema change looks for changed migration files if the last look is older.")
CFG_BOOL(log_connections, 1, "Log logins.")
CFG_BOOL(log_disconnections, 1, "Log ends of sessions with their reason.")

#undef CFG_STRING
#undef CFG_PATH
#undef CFG_BOOL
#undef CFG_INT
#undef CFG_SIZE
#undef CFG_TIME
