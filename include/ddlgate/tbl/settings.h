/* Settings of [ddlgate]: X-macro table, included with the macros one wants defined.
 * CFG_STRING(name, default, prose), CFG_PATH (relative to the file it stands in), CFG_BOOL,
 * CFG_INT(name, min, max, default, prose), CFG_SIZE (bytes; "64kB"), CFG_TIME (kept in ms;
 * a plain number is seconds), CFG_ENUM(name, "word|word|...", index of the default, prose).
 * A NULL default means "not set". */
#ifndef CFG_ENUM
#define CFG_ENUM(name, words, def, prose)
#endif
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
CFG_STRING(http_listen, NULL, "Address and port of the HTTP probes /livez and /readyz; not set: none.")
CFG_INT(listen_backlog, 1, 65535, 128, "Length of the kernel's accept queue.")
CFG_INT(workers, 0, 256, 0, "Worker threads; 0 is one per core.")
CFG_INT(max_client_conn, 1, 1000000, 1000, "Clients beyond this get FATAL 53300.")
CFG_INT(max_db_connections, 0, 1000000, 0, "Sessions per database, [databases] may say otherwise; 0: no limit.")
CFG_INT(max_user_connections, 0, 1000000, 0, "Sessions per user, [users] may say otherwise; 0: no limit.")
CFG_BOOL(so_reuseport, 0, "Several processes may listen on the same port: for a rolling restart.")
CFG_STRING(proxy_protocol_from, NULL, "Networks (CIDR, comma separated) whose connections begin with a PROXY protocol v2 header.")
CFG_ENUM(auth_type, "passthrough|scram-sha-256|md5|cert|trust|hba", 0, "Who authenticates clients: the server (passthrough), or the gate by this method.")
CFG_PATH(auth_file, NULL, "Users and secrets: \"user\" \"password, md5... or SCRAM-SHA-256$...\".")
CFG_PATH(auth_hba_file, NULL, "Records in pg_hba.conf's syntax, for auth_type = hba.")
CFG_STRING(auth_query, NULL, "Looks up users that auth_file lacks, on the control login; $1 is the name.")
CFG_ENUM(client_tls_sslmode, "disable|allow|prefer|require|verify-ca|verify-full", 0, "TLS towards clients.")
CFG_PATH(client_tls_key_file, NULL, "The gate's private key, PEM.")
CFG_PATH(client_tls_cert_file, NULL, "The gate's certificate (chain), PEM.")
CFG_PATH(client_tls_ca_file, NULL, "CA that vouches for client certificates.")
CFG_PATH(client_tls_crl_file, NULL, "Revoked client certificates.")
CFG_STRING(client_tls_ciphers, NULL, "OpenSSL's list of ciphers for TLS 1.2.")
CFG_STRING(client_tls_protocols, "secure", "secure (1.2 and 1.3), or a list of tlsv1.2, tlsv1.3.")
CFG_ENUM(server_tls_sslmode, "disable|allow|prefer|require|verify-ca|verify-full", 2, "TLS towards servers; sslmode in [databases] says otherwise.")
CFG_PATH(server_tls_key_file, NULL, "Key of the gate's client certificate.")
CFG_PATH(server_tls_cert_file, NULL, "Client certificate that the gate shows to servers.")
CFG_PATH(server_tls_ca_file, NULL, "CA that vouches for servers; system: the system's.")
CFG_PATH(server_tls_crl_file, NULL, "Revoked server certificates.")
CFG_STRING(server_tls_ciphers, NULL, "OpenSSL's list of ciphers for TLS 1.2.")
CFG_STRING(server_tls_protocols, "secure", "secure (1.2 and 1.3), or a list of tlsv1.2, tlsv1.3.")
CFG_STRING(admin_database, "ddlgate", "The virtual database that shows the gate's state; empty: none.")
CFG_STRING(admin_users, "postgres", "Users (comma separated) who may use it once the gate has authenticated them.")
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
CFG_TIME(drain_delay, 0, 3600000, 0, "After SIGTERM new clients are still taken for this long, while /readyz says no.")
CFG_TIME(shutdown_timeout, 0, 86400000, 30000, "After SIGTERM sessions may go on for this long.")
CFG_TIME(reload_interval, 0, 86400000, 1000, "A schema change looks for changed migration files if the last look is older.")
CFG_BOOL(log_connections, 1, "Log logins.")
CFG_BOOL(log_disconnections, 1, "Log ends of sessions with their reason.")

#undef CFG_ENUM
#undef CFG_STRING
#undef CFG_PATH
#undef CFG_BOOL
#undef CFG_INT
#undef CFG_SIZE
#undef CFG_TIME
