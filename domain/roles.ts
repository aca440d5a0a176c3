/** What an operator may do in an account. All three are operators of the account and get its mails (DESIGN 4). */
export const roles = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof roles)[number];

const rank: Record<Role, number> = { viewer: 0, operator: 1, admin: 2 };

/** `inspect`: sees the execution in Temporal's UI. */
export const permissions = ['read', 'renew', 'activate', 'settings', 'revoke', 'inspect'] as const;
export type Permission = (typeof permissions)[number];

const leastRole: Record<Permission, Role> = {
  read: 'viewer',
  renew: 'operator',
  activate: 'operator',
  settings: 'admin',
  revoke: 'admin',
  inspect: 'admin',
};

export function permissionsOf(role: Role): Permission[] {
  return permissions.filter((permission) => may(role, permission));
}

export function may(role: Role, permission: Permission): boolean {
  return rank[role] >= rank[leastRole[permission]];
}
