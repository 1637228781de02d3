// A real key-set server (oauth2-mock-server) in the place of Cloudflare Access. Argument: the directory of
// scripts/oidc.sh. Prints its address, and then a token for each line of JSON claims; `rotate` makes another
// key, and both are published. Ends with its standard input.
import { createInterface } from 'node:readline';

const [place] = process.argv.slice(2);
const { OAuth2Server } = await import(`${place}/node_modules/oauth2-mock-server/dist/index.mjs`);

const server = new OAuth2Server(undefined, undefined, { endpoints: { jwks: '/cdn-cgi/access/certs' } });
let key = await server.issuer.keys.generate('RS256');
await server.start(0, '127.0.0.1');
console.log(`http://127.0.0.1:${server.address().port}`);

for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'rotate') {
    key = await server.issuer.keys.generate('RS256');
    console.log('rotated');
    continue;
  }
  const claims = JSON.parse(line);
  const token = await server.issuer.buildToken({
    kid: key.kid,
    scopesOrTransform: (_, payload) => {
      for (const name of Object.keys(payload)) delete payload[name];
      Object.assign(payload, claims);
    },
  });
  console.log(token);
}
process.exit(0);
