/** Enough to refuse what is no address and what could end a header; whether mail arrives only mail can tell. */
export const isAddress = (email: string): boolean => email.length <= 254 && /^[^\s@\p{C}]+@[^\s@\p{C}]+$/u.test(email);
