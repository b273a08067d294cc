export interface Account {
  user_id: string;
  email: string;
  password_hash: string;
}

/** The accounts. Where the store was opened without demo accounts, they are treated as absent. */
export abstract class AccountStore {
  /** False where the address already has an account. */
  abstract add(account: Account & { demo: boolean }): Promise<boolean>;
  /**
   * Adds an account and uses up the invitation with this digest, both or none. `refused`: the invitation is not valid any
   * more.
   */
  abstract addInvited(account: Account, invitation: string): Promise<'added' | 'taken' | 'refused'>;
  abstract byEmail(email: string): Promise<Account | undefined>;
  abstract byId(userId: string): Promise<Account | undefined>;
  /** All accounts but those of the demo, oldest first. */
  abstract all(): Promise<Account[]>;
  abstract remove(userId: string): Promise<void>;
  abstract replaceHash(userId: string, hash: string): Promise<void>;
}
