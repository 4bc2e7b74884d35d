// SPDX-License-Identifier: ISC
/* SQLSTATEs that the gate itself sends (PostgreSQL manual, Appendix A). */
#ifndef DG_SQLSTATE_H
#define DG_SQLSTATE_H

#define DG_SQLSTATE_WARNING            "01000" /* warnings of policy */
#define DG_SQLSTATE_REFUSED            "42501" /* policy says no */
#define DG_SQLSTATE_NOT_NOW            "55000" /* right statement, wrong moment */
#define DG_SQLSTATE_IDLE               "25P03" /* idle in a transaction for too long */
#define DG_SQLSTATE_CANCELED           "57014" /* a hold ended */
#define DG_SQLSTATE_AUDIT_FAILED       "58030" /* the audit can't be written */
#define DG_SQLSTATE_TOO_COMPLEX        "54001" /* too deep or too long to be judged */
#define DG_SQLSTATE_CONNECTION_FAILURE "08006" /* upstream gone */
#define DG_SQLSTATE_PROTOCOL_VIOLATION "08P01"
#define DG_SQLSTATE_TOO_MANY           "53300" /* too many clients */
#define DG_SQLSTATE_SHUTDOWN           "57P01"
#define DG_SQLSTATE_CONFIG             "F0000" /* configuration error */
#define DG_SQLSTATE_NO_DATABASE        "3D000"

#endif
