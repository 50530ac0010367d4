/** What an employee does about their own account: the security page, passwords, and the pages behind links in mails. */
export { mountLinkPages } from './link-pages.js';
export { mountPasswordPages } from './password-pages.js';
export { mountSecurityPage } from './security-page.js';
export { accountClient, createVisitors, type Visitors } from './visitor.js';
