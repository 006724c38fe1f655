/** The role that contracts want of who works at the desk. */
export const STAFF = "staff";
