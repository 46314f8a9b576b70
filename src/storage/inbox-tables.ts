/**
 * What the inbox logs of one node are in, and what guards them. A restored database begins without: clients have seen more of
 * them than a backup knows of, and would take new entries for some that they had.
 */
export const inboxTables = ['InboxEntry', 'InboxHead', 'ToldRead', 'Watermark'] as const;
