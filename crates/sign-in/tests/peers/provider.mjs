// A certified provider (oidc-provider) with one person, for tests. Arguments: the directory of
// scripts/oidc.sh, and a JSON object: clients, whether claims are in the token, the person's claims.
// Prints one line, its issuer; ends with its standard input.
import { createServer } from 'node:http';

const [place, text] = process.argv.slice(2);
const { default: Provider } = await import(`${place}/node_modules/oidc-provider/lib/index.js`);
const given = JSON.parse(text);

const server = createServer();
await new Promise((done) => server.listen(0, '127.0.0.1', done));
const issuer = `http://127.0.0.1:${server.address().port}`;
const provider = new Provider(issuer, {
  clients: given.clients,
  claims: {
    openid: ['sub'],
    email: ['email', 'email_verified'],
    profile: ['name'],
    groups: ['groups'],
  },
  conformIdTokenClaims: !given.inToken,
  cookies: { keys: ['of a test'] },
  features: { devInteractions: { enabled: true } },
  pkce: { required: () => true },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ ...given.claims, sub: id }) }),
});
server.on('request', provider.callback());
console.log(issuer);
process.stdin.on('end', () => process.exit(0)).resume();
