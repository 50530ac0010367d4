/** What the phone shows of a push message: all that it says. */
export const NOTICE = {
  en: { title: 'A sign-in is waiting', body: 'Open the app to confirm or stop it.' },
  de: { title: 'Eine Anmeldung wartet', body: 'Öffnen Sie die App, um sie zu bestätigen oder zu beenden.' },
  fr: { title: 'Une connexion attend', body: 'Ouvrez l’application pour la confirmer ou l’arrêter.' },
  es: { title: 'Hay un inicio de sesión en espera', body: 'Abre la aplicación para confirmarlo o detenerlo.' },
  it: { title: 'Un accesso è in attesa', body: 'Apri l’app per confermarlo o bloccarlo.' },
} as const;

/** The notice in a language, English where there is none. @param language BCP 47 */
export const noticeIn = (language: string): { title: string; body: string } =>
  NOTICE[language.slice(0, 2).toLowerCase() as keyof typeof NOTICE] ?? NOTICE.en;
