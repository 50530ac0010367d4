/** Locals of the readable page of the management API. */
export const apiDocs = {
  base: 'https://login.example.com/api/v1',
  documentHref: '/api/v1/openapi.json',
  sections: [
    {
      tag: 'Accounts',
      operations: [
        {
          id: 'changeAccount',
          method: 'PATCH',
          path: '/accounts/{accountId}',
          summary: 'Change an account (merge patch)',
          description: 'Says what it was based on.',
          scope: 'accounts:write',
          isFresh: true,
          isForScripts: true,
          parameters: [
            { name: 'accountId', place: 'path', isRequired: true, type: 'string' },
            { name: 'If-Match', place: 'header', isRequired: true, type: 'string', description: 'The ETag.' },
          ],
          body: 'AccountChanges',
          responses: [
            { status: '200', description: 'As it is now.', type: 'Account' },
            { status: '412', description: 'It was changed since it was read.', type: 'Problem' },
          ],
        },
        {
          id: 'getMe',
          method: 'GET',
          path: '/me',
          summary: 'Who calls',
          scope: '',
          isFresh: false,
          isForScripts: false,
          parameters: [],
          responses: [{ status: '200', description: 'The caller.' }],
        },
      ],
    },
  ],
  schemas: [
    { name: 'AccountChanges', text: '{}' },
    { name: 'Problem', text: '{}' },
    { name: 'Account', text: '{\n  "type": "object"\n}' },
  ],
  errors: [{ code: 'LOGIN_TAKEN', status: 409, title: 'The login is taken' }],
};
