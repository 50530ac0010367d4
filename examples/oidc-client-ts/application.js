import { settings } from './settings.js';

const { UserManager } = globalThis.oidc;
const manager = new UserManager({
  ...settings,
  redirect_uri: `${location.origin}/callback`,
  post_logout_redirect_uri: location.origin,
  scope: 'openid profile email',
  // Name and e-mail are asked for at the userinfo endpoint, across origins: see `cors_origins` of the client.
  loadUserInfo: true,
  // Otherwise it drops `acr` and `amr` from the profile.
  filterProtocolClaims: ['nbf', 'jti', 'nonce', 'azp', 'at_hash'],
});

if (location.pathname === '/callback') {
  await manager.signinCallback();
  history.replaceState(undefined, '', '/');
}

const user = await manager.getUser();
const show = (id, text) => {
  const element = document.getElementById(id);
  element.hidden = false;
  element.textContent = text;
  return element;
};
document.querySelector('h1').textContent = user
  ? `Signed in as ${user.profile.name ?? user.profile.sub}`
  : 'Not signed in';
if (user) show('claims', JSON.stringify(user.profile, undefined, 2));
show('go', user ? 'Sign out' : 'Sign in').onclick = () => (user ? manager.signoutRedirect() : manager.signinRedirect());
