/** Whose app it is, as the server has written it into the page. */
export interface Brand {
  name: string;
  /** Address of a picture that stands beside the name. */
  logo?: string;
}

export function brandOf({ documentElement, head }: Document): Brand {
  const { logo } = documentElement.dataset;
  const name = head.querySelector<HTMLMetaElement>('meta[name=application-name]')?.content ?? '';
  return { name, ...(logo ? { logo } : {}) };
}
