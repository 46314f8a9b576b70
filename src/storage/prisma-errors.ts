import { Prisma, type PrismaClient } from './generated/mysql/client.ts';
import { sqlErrorOf } from './mariadb-values.ts';

/**
 * A client whose operations fail as the SQL port does where the database is gone or too busy: with a SqlError, which says
 * what the caller may know. What the adapter makes of a driver's error keeps its number and nothing else.
 * @throws from its operations {SqlError} of kind `connection`, `deadlock` or `lockTimeout`; what Prisma throws else.
 */
export function withSqlErrors(prisma: PrismaClient): PrismaClient {
  const extended = prisma.$extends({
    query: {
      $allOperations: async ({ args, query }) => {
        try {
          return (await query(args)) as unknown;
        } catch (error) {
          throw outageOf(error) ?? error;
        }
      },
    },
  });
  // It has all that the other has, and the middle of it is no concern of its type.
  return extended as object as PrismaClient;
}

function outageOf(error: unknown): Error | null {
  if (!(error instanceof Prisma.PrismaClientKnownRequestError)) return null;
  const said = error.meta?.['driverAdapterError'] as { readonly cause?: DriverCause } | undefined;
  const errno = Number(said?.cause?.originalCode);
  if (!Number.isInteger(errno)) return null;
  const failure = sqlErrorOf(Object.assign(new Error(error.message, { cause: error }), { errno }));
  return failure.kind === 'unique' || failure.kind === 'other' ? null : failure;
}

/** What a driver adapter says of the driver's error, as far as it is of use here. */
interface DriverCause {
  readonly originalCode?: string;
}
