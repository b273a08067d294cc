/** The tokens that were revoked before they expired, each kept until its expiry. Times are milliseconds since 1970. */
export abstract class RevokedTokens {
  abstract add(tokenId: string, expiresAt: number): Promise<void>;
  abstract has(tokenId: string): Promise<boolean>;
}
