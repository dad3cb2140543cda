import type { Knex } from '../storage/postgres/postgres.ts';
import type { Identity, Permissions } from './api-key.ts';

export type People = ReturnType<typeof createPeople>;

/** A person as the provider describes them at a sign-in. */
export interface Person extends Identity, Permissions {
  name: string;
}

/** The API keys of people, which have no secret. */
export const createPeople = (db: Knex) => ({
  /** Creates the API key of a person, or updates its name and permissions; resolves to its ID. Undefined if the key is revoked or has
   *  expired, which keeps the person out. */
  async admit({ issuer, subject, name, scopes, ownUrlsOnly }: Person): Promise<number | undefined> {
    const [row] = await db('api_keys')
      .insert({ issuer, subject, name, scopes, own_urls_only: ownUrlsOnly })
      .onConflict(['issuer', 'subject'])
      .merge(['name', 'scopes', 'own_urls_only'])
      .whereNull('api_keys.revoked_at')
      .where((query) => {
        void query.whereNull('api_keys.expires_at').orWhere('api_keys.expires_at', '>', db.fn.now());
      })
      .returning('id');
    return row?.id;
  },

  /** The ID of the API key of a person. */
  async find({ issuer, subject }: Identity): Promise<number | undefined> {
    const row = await db('api_keys').where({ issuer, subject }).first('id');
    return row?.id;
  },
});
