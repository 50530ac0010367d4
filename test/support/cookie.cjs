// light-my-request asks for `cookie` with require(), which is an ES module by now: Node can do that, jest cannot.
// It is used only for a `cookies` option, which no call of ours has.
exports.stringifySetCookie = () => {
  throw new Error('calls within the process send no cookies');
};
