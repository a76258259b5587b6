import { pathOf } from '../programs.ts';

const ownPackage = pathOf('package.json');

/**
 * Makes paths relative to where the user stands: `npm run client` of this package begins in the package's folder, and
 * npm keeps the user's in INIT_CWD. A script of another package that calls the client keeps its own folder.
 */
export function standWhereTheUserStands({
  npm_lifecycle_event: script,
  npm_package_json: package_,
  INIT_CWD: folder,
}: Readonly<Record<string, string | undefined>>): void {
  if (script === 'client' && package_ === ownPackage && folder) process.chdir(folder);
}
