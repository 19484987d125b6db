import { defineConfig } from 'drizzle-kit'

/** For `drizzle-kit generate --config drizzle/config.ts`: writes the next numbered migration from the tables. */
export default defineConfig({ dialect: 'postgresql', schema: './src/db/schema.ts', out: './drizzle' })
